/**
 * Who may publish and subscribe to what at the broker: each user may write only the topics that name it as their
 * writer, which makes the ids in topics trustworthy. Pure; it returns the reason for a refusal, or `undefined`.
 */
import { parseTopic, type Topic } from '../src/protocol/topics.js';

/** A connected user: one from the password file, or anyone where there is no such file. */
export type BrokerUser = { readonly name: string; readonly isOperator: boolean } | 'anonymous';

/**
 * Why `user` must not publish to `topicText`, as a sentence.
 *
 * A user may write as the node with its name, and send requests to any node (those that matter are signed). Operators
 * may also set what any node's `set` topics set. Anonymous users, who exist only without a password file, write
 * anything below `base`. Nobody writes elsewhere, `$SYS` least of all.
 */
export function authorizePublish(base: string, user: BrokerUser, topicText: string): string | undefined {
  if (!topicText.startsWith(`${base}/`)) return `only topics below ${base}/ may be written here`;
  if (user === 'anonymous') return undefined;
  const topic = parseTopic(base, topicText);
  if (topic === undefined) return `this is not a topic of tritmesh below ${base}/`;
  const writer = findWriter(topic);
  if (writer === undefined || writer === user.name) return undefined;
  if (topic.kind === 'set' && user.isOperator) return undefined;
  return `user ${user.name} must not write ${topic.kind} topics of ${writer}`;
}

/**
 * Why a client must not subscribe to `filter`. Every connected client may read everything; only shared subscriptions
 * are refused, because this broker would grant them and then deliver nothing.
 */
export function authorizeSubscribe(filter: string): string | undefined {
  return filter.startsWith('$share/') ? 'shared subscriptions are not supported' : undefined;
}

/** The only user who may write a topic; `undefined` where any user may. */
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
