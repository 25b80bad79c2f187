/**
 * Messages of work become inputs, whether they came by the bus or by the direct path: decoded, and the signature checked against the key
 * of the writer that the topic names.
 */
import type { BusMessage } from '../bus/bus.js';
import { isMessageKind, type Codec, type Decoded } from '../protocol/codec.js';
import type { Identity } from '../identity/identity.js';
import type { Topic } from '../protocol/topics.js';
import type { DirectMessage, Verdict } from '../transfer/direct.js';
import type { NodeInput } from './inputs.js';
import { checkProof, openMessage } from './proof.js';

/** What reading goes by. */
export interface WorkParts {
  readonly self: string;
  readonly base: string;
  readonly identity: Identity;
  readonly codec: Codec;
  /** The key of a member, also of one that was not heard in this run. */
  keyOf(node: string): string | undefined;
}

/** A message of work, and the path by which it came. */
type Heard = BusMessage & { readonly path?: 'direct' };

/** What was made of a message by the direct path. */
export interface Brought {
  readonly verdict: Verdict;
  readonly input: NodeInput | undefined;
}

/** Reads a message of work; `undefined` for one that is no business of this node. */
export function readWork(topic: Topic, message: Heard, parts: WorkParts): NodeInput | undefined {
  if (!isMessageKind(topic.kind)) return undefined;
  if (message.retained) return refuse(message, 'work is never retained');
  const writer = writerOf(topic);
  const key = writer === undefined ? undefined : parts.keyOf(writer);
  switch (topic.kind) {
    case 'offer':
      return use(openMessage(topic, message, key, parts), message, (offer) => ({
        type: 'OfferHeard',
        ...place(topic),
        offer,
      }));
    case 'ack':
      return use(openMessage(topic, message, key, parts), message, (ack) => ({
        type: 'AckSeen',
        ...place(topic),
        ack,
        path: message.path,
      }));
    case 'lease':
      return readLease(topic, message, key, parts);
    case 'claim':
      return use(openMessage(topic, message, key, parts), message, (claim) =>
        ownerFact(topic.item, { type: 'ClaimHeard', from: topic.node, claim }),
      );
    case 'progress':
      return use(openMessage(topic, message, key, parts), message, (progress) =>
        ownerFact(topic.item, { type: 'ProgressHeard', from: topic.node, progress, path: message.path }),
      );
    case 'response':
      return use(openMessage(topic, message, key, parts), message, (response) => ({
        type: 'FitHeard',
        node: topic.node,
        response,
      }));
    case 'result':
      return use(openMessage(topic, message, key, parts), message, (result) =>
        ownerFact(topic.item, { type: 'ResultHeard', from: topic.node, result, path: message.path }),
      );
    default:
      return undefined;
  }
}

/** Every node hears every lease: one for another node is not worth checking its signature. */
function readLease(
  topic: Topic & { kind: 'lease' },
  message: Heard,
  key: string | undefined,
  parts: WorkParts,
): NodeInput | undefined {
  const lease = parts.codec.decodeMessage(parts.base, topic, message.payload);
  if (lease.ok && lease.value.to !== parts.self) return undefined;
  return use(checkProof(lease, key, parts), message, (value) => ({
    type: 'LeaseSeen',
    ...place(topic),
    lease: value,
    number: { boot: value.boot, seq: value.seq },
    path: message.path,
  }));
}

function use<T>(decoded: Decoded<T>, message: BusMessage, make: (value: T) => NodeInput): NodeInput {
  return decoded.ok ? make(decoded.value) : refuse(message, `${decoded.field} ${decoded.reason}`);
}

function writerOf(topic: Topic): string | undefined {
  if ('node' in topic) return topic.node;
  return 'owner' in topic ? topic.owner : undefined;
}

/** What may come by the direct path: the words of a lease between two nodes, and nothing else. */
const DIRECT_KINDS: ReadonlySet<Topic['kind']> = new Set(['ack', 'lease', 'progress', 'result']);

/** Whether a message is for this node, of a kind that goes this way, and of a writer whose key the peer has shown. */
export function readDirect(peerKey: string, { topic: text, payload }: DirectMessage, parts: WorkParts): Brought {
  const topic = parts.codec.parseTopic(parts.base, text);
  const message = { topic: text, payload: new TextEncoder().encode(payload), retained: false, path: 'direct' } as const;
  const writer = topic !== undefined && DIRECT_KINDS.has(topic.kind) ? writerOf(topic) : undefined;
  const isMeant = topic !== undefined && (!('node' in topic) || ('owner' in topic && topic.owner === parts.self));
  if (topic === undefined || writer === undefined || writer === parts.self || !isMeant)
    return { verdict: 'unknown', input: refuse(message, 'nothing that is said by the direct path') };
  if (parts.keyOf(writer) !== peerKey)
    return { verdict: 'unknown', input: refuse(message, 'its writer is not the peer that brought it') };
  const input = readWork(topic, message, parts);
  return { verdict: input?.type === 'MessageRefused' ? 'malformed' : 'taken', input };
}

type Place = { readonly owner: string; readonly item: string };

function place(topic: Place): Place {
  return { owner: topic.owner, item: topic.item };
}

function ownerFact(item: string, fact: Extract<NodeInput, { type: 'OwnerFact' }>['fact']): NodeInput {
  return { type: 'OwnerFact', item, fact };
}

/** A message that changes nothing, and is counted. */
export function refuse(message: BusMessage, reason: string): NodeInput {
  return { type: 'MessageRefused', topic: message.topic.slice(0, 200), reason };
}
