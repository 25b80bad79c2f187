/**
 * Saying: a message of the core is stamped, sealed, and handed to the bus. What this node says to itself, being owner and
 * receiver at once, also comes back as an input at once and does not depend on any broker.
 */
import type { Bus } from '../bus/bus.js';
import type { Clock } from '../clock/clock.js';
import type { Say, Way } from '../core/effects.js';
import type { Identity } from '../identity/identity.js';
import { DELIVERY } from '../protocol/delivery.js';
import { sealMessage } from '../protocol/envelope.js';
import { MESSAGE_BYTES_MAX } from '../protocol/limits.js';
import type { Verb } from '../protocol/requests.js';
import { formatTopic, type Topic } from '../protocol/topics.js';
import type { Direct } from '../transfer/direct.js';
import type { NodeInput } from './inputs.js';

/** What saying needs. */
export interface SayParts {
  readonly self: string;
  readonly base: string;
  readonly boot: number;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly identity: Identity;
  /** Without one everything goes by the bus alone. */
  readonly direct?: Direct | undefined;
  /** The public key of a member. */
  keyOf(node: string): string | undefined;
  push(input: NodeInput): void;
}

/** Says messages. */
export interface Speaker {
  say(message: Say, retain?: boolean): void;
  /** Asks another node: a signed request. Gives false when it is too large to be read. */
  ask(node: string, verb: Verb, body: object): boolean;
  /** Says bare text on a retained topic. */
  sayText(topic: Topic, text: string): void;
  /** Takes a retained topic off the bus. */
  unsay(topic: Topic): void;
  /** Number of the last message. */
  seq(): number;
  /** Leaves a retained topic to another writer. */
  forget(topic: Topic): void;
}

/** Makes a speaker. */
export function createSpeaker(parts: SayParts): Speaker {
  let seq = 0;

  function say(message: Say, retain?: boolean): void {
    const { qos, retain: retained, signed } = DELIVERY[message.kind];
    const topic = formatTopic(parts.base, message.topic);
    seq += 1;
    const stamp = { ts: new Date(parts.clock.wall()).toISOString(), boot: parts.boot, seq };
    const payload = sealMessage(topic, message.body, stamp, signed ? parts.identity.sign : undefined);
    if (message.way?.only !== true) parts.bus.publish({ topic, payload, qos, retain: retain ?? retained });
    if (message.way !== undefined) sendDirect(message.way, topic, payload);
    const heard = hearOneself(message, parts.self);
    if (heard !== undefined) parts.push(heard);
  }

  function sendDirect({ to, urls }: Way, topic: string, payload: string): void {
    const key = parts.keyOf(to);
    if (key !== undefined) parts.direct?.send({ key, urls }, { topic, payload });
  }

  function ask(node: string, verb: Verb, body: object): boolean {
    const topic = formatTopic(parts.base, { kind: 'request', node, verb });
    seq += 1;
    const stamp = { ts: new Date(parts.clock.wall()).toISOString(), boot: parts.boot, seq };
    const payload = sealMessage(topic, { from: parts.self, ...body }, stamp, parts.identity.sign);
    if (new TextEncoder().encode(payload).byteLength > MESSAGE_BYTES_MAX) return false;
    parts.bus.publish({ topic, payload, qos: 1, retain: false });
    return true;
  }

  return {
    say,
    ask,
    seq: () => seq,
    sayText: (topic, text) => {
      parts.bus.publish({ topic: formatTopic(parts.base, topic), payload: text, qos: 1, retain: true });
    },
    forget: (topic) => parts.bus.forget(formatTopic(parts.base, topic)),
    unsay: (topic) => {
      parts.bus.publish({ topic: formatTopic(parts.base, topic), payload: '', qos: 1, retain: true });
    },
  };
}

/** The input that a message of this node is to this node, if it is one. */
export function hearOneself(message: Say, self: string): NodeInput | undefined {
  switch (message.kind) {
    case 'offer':
      return { type: 'OfferHeard', owner: self, item: message.topic.item, offer: message.body };
    case 'ack':
      return { type: 'AckSeen', owner: self, item: message.topic.item, ack: message.body };
    case 'lease':
      return { type: 'LeaseSeen', owner: self, item: message.topic.item, lease: message.body };
    case 'claim':
      return toOwner(message.topic, self, { type: 'ClaimHeard', from: self, claim: message.body });
    case 'progress':
      return toOwner(message.topic, self, { type: 'ProgressHeard', from: self, progress: message.body });
    case 'result':
      return toOwner(message.topic, self, { type: 'ResultHeard', from: self, result: message.body });
    default:
      return undefined;
  }
}

function toOwner(
  topic: { readonly owner: string; readonly item: string },
  self: string,
  fact: Extract<NodeInput, { type: 'OwnerFact' }>['fact'],
): NodeInput | undefined {
  return topic.owner === self ? { type: 'OwnerFact', item: topic.item, fact } : undefined;
}
