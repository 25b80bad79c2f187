/**
 * Publishes: stamps, seals and hands each message to the bus. What this node sends to itself, as owner and receiver of
 * the same item, also comes back as an input at once and does not depend on a broker.
 */
import type { Bus } from '../../bus/bus.js';
import type { Clock } from '../../clock/clock.js';
import type { Publish, Way } from '../../core/effects.js';
import type { Identity } from '../../identity/identity.js';
import { DELIVERY } from '../../protocol/delivery.js';
import { sealMessage } from '../../protocol/envelope.js';
import { MESSAGE_BYTES_MAX } from '../../protocol/limits.js';
import type { Verb } from '../../protocol/requests.js';
import { formatTopic, type Topic } from '../../protocol/topics.js';
import type { Direct } from '../../transfer/direct.js';
import type { NodeInput } from '../inputs.js';

/** What a publisher needs. */
export interface PublisherDeps {
  readonly self: string;
  readonly base: string;
  readonly boot: number;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly identity: Identity;
  /** Without it everything goes through the bus. */
  readonly direct?: Direct | undefined;
  /** The public key of a member. */
  keyOf(node: string): string | undefined;
  push(input: NodeInput): void;
}

/** Publishes messages under this node's name. */
export interface Publisher {
  publish(message: Publish, retain?: boolean): void;
  /** Sends another node a signed request. Returns false when it is too large to be read. */
  request(node: string, verb: Verb, body: object): boolean;
  /** Publishes plain text on a retained topic. */
  publishText(topic: Topic, text: string): void;
  /** Clears a retained topic. */
  clearRetained(topic: Topic): void;
  /** Sequence number of the last message. */
  seq(): number;
  /** Stops keeping a retained topic, which another node writes from now on. */
  forget(topic: Topic): void;
}

/** Creates a publisher; its sequence numbers start at 1. */
export function createPublisher(deps: PublisherDeps): Publisher {
  let seq = 0;

  function publish(message: Publish, retain?: boolean): void {
    const { qos, retain: retained, signed } = DELIVERY[message.kind];
    const topic = formatTopic(deps.base, message.topic);
    seq += 1;
    const stamp = { ts: new Date(deps.clock.wall()).toISOString(), boot: deps.boot, seq };
    const payload = sealMessage(topic, message.body, stamp, signed ? deps.identity.sign : undefined);
    if (message.way?.only !== true) deps.bus.publish({ topic, payload, qos, retain: retain ?? retained });
    if (message.way !== undefined) sendDirect(message.way, topic, payload);
    const heard = loopback(message, deps.self);
    if (heard !== undefined) deps.push(heard);
  }

  function sendDirect({ to, urls }: Way, topic: string, payload: string): void {
    const key = deps.keyOf(to);
    if (key !== undefined) deps.direct?.send({ key, urls }, { topic, payload });
  }

  function request(node: string, verb: Verb, body: object): boolean {
    const topic = formatTopic(deps.base, { kind: 'request', node, verb });
    seq += 1;
    const stamp = { ts: new Date(deps.clock.wall()).toISOString(), boot: deps.boot, seq };
    const payload = sealMessage(topic, { from: deps.self, ...body }, stamp, deps.identity.sign);
    if (new TextEncoder().encode(payload).byteLength > MESSAGE_BYTES_MAX) return false;
    deps.bus.publish({ topic, payload, qos: 1, retain: false });
    return true;
  }

  return {
    publish,
    request,
    seq: () => seq,
    publishText: (topic, text) => {
      deps.bus.publish({ topic: formatTopic(deps.base, topic), payload: text, qos: 1, retain: true });
    },
    forget: (topic) => deps.bus.forget(formatTopic(deps.base, topic)),
    clearRetained: (topic) => {
      deps.bus.publish({ topic: formatTopic(deps.base, topic), payload: '', qos: 1, retain: true });
    },
  };
}

/** The input that a message of this node is to this node; `undefined` if it is for others only. */
export function loopback(message: Publish, self: string): NodeInput | undefined {
  switch (message.kind) {
    case 'offer':
      return { type: 'OfferHeard', owner: self, item: message.topic.item, offer: message.body };
    case 'ack':
      return { type: 'AckHeard', owner: self, item: message.topic.item, ack: message.body };
    case 'lease':
      return { type: 'LeaseHeard', owner: self, item: message.topic.item, lease: message.body };
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
  input: Extract<NodeInput, { type: 'ItemInput' }>['input'],
): NodeInput | undefined {
  return topic.owner === self ? { type: 'ItemInput', item: topic.item, input } : undefined;
}
