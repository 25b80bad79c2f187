/**
 * Who may say and hear what on the broker: each user writes only the topics that name it as their writer, so that on an
 * open bus an id in a topic can be believed. Pure; it gives the reason of a refusal, or `undefined`.
 */
import { parseTopic, type Topic } from '../src/protocol/topics.js';

/** Who is connected: a user of the password file, or anybody where there is none. */
export type BrokerUser = { readonly name: string; readonly isOperator: boolean } | 'anonymous';

/**
 * Why `user` must not publish to `topicText`, as a sentence.
 *
 * A user writes as the node of its name, and sends requests to any node (those that matter are signed). Operators may
 * also set what any node's `set` topics set. Anonymous users, who exist only without a password file, write anything
 * below `base`. Nobody writes elsewhere, `$SYS` least of all.
 */
export function authorizePublish(base: string, user: BrokerUser, topicText: string): string | undefined {
  if (!topicText.startsWith(`${base}/`)) return `only topics below ${base}/ are written here`;
  if (user === 'anonymous') return undefined;
  const topic = parseTopic(base, topicText);
  if (topic === undefined) return `not a topic of tritmesh below ${base}/`;
  const writer = findWriter(topic);
  if (writer === undefined || writer === user.name) return undefined;
  if (topic.kind === 'set' && user.isOperator) return undefined;
  return `user ${user.name} must not write ${topic.kind} topics of ${writer}`;
}

/**
 * Why `user` must not subscribe to `filter`. Reading is open to all who got in; only shared subscriptions are refused,
 * since this broker would grant them and then deliver nothing.
 */
export function authorizeSubscribe(filter: string): string | undefined {
  return filter.startsWith('$share/') ? 'shared subscriptions are not served here' : undefined;
}

/** The one user who may write a topic; `undefined` where any user may. */
function findWriter(topic: Topic): string | undefined {
  switch (topic.kind) {
    case 'request':
    case 'mesh':
      return undefined;
    case 'offer':
    case 'ack':
    case 'lease':
    case 'status':
      return topic.owner;
    default:
      return topic.node;
  }
}
