/**
 * Turns work messages into inputs, whether they came by the bus or by the direct path: decodes them and checks the
 * signature against the key of the writer that the topic names.
 */
import type { BusMessage } from '../../bus/bus.js';
import { isMessageKind, type Codec, type Decoded } from '../../protocol/codec.js';
import type { Identity } from '../../identity/identity.js';
import type { Topic } from '../../protocol/topics.js';
import type { DirectMessage, DirectVerdict } from '../../transfer/direct.js';
import type { NodeInput } from '../inputs.js';
import { verifySignature, openSignedMessage } from './verify-signature.js';

/** What decoding needs. */
export interface DecodeWorkDeps {
  readonly self: string;
  readonly base: string;
  readonly identity: Identity;
  readonly codec: Codec;
  /** The key of a member, also of one that was not heard in this boot. */
  keyOf(node: string): string | undefined;
}

/** A work message, and the path by which it came. */
type Heard = BusMessage & { readonly path?: 'direct' };

/** The outcome of a message that came by the direct path. */
export interface DirectDecoded {
  readonly verdict: DirectVerdict;
  readonly input: NodeInput | undefined;
}

/** Decodes a work message; `undefined` for one that does not concern this node. */
export function decodeWork(topic: Topic, message: Heard, deps: DecodeWorkDeps): NodeInput | undefined {
  if (!isMessageKind(topic.kind)) return undefined;
  if (message.retained) return refuse(message, 'work is never retained');
  const writer = writerOf(topic);
  const key = writer === undefined ? undefined : deps.keyOf(writer);
  switch (topic.kind) {
    case 'offer':
      return use(openSignedMessage(topic, message, key, deps), message, (offer) => ({
        type: 'OfferHeard',
        ...place(topic),
        offer,
      }));
    case 'ack':
      return use(openSignedMessage(topic, message, key, deps), message, (ack) => ({
        type: 'AckHeard',
        ...place(topic),
        ack,
        path: message.path,
      }));
    case 'lease':
      return readLease(topic, message, key, deps);
    case 'claim':
      return use(openSignedMessage(topic, message, key, deps), message, (claim) =>
        ownerFact(topic.item, { type: 'ClaimHeard', from: topic.node, claim }),
      );
    case 'progress':
      return use(openSignedMessage(topic, message, key, deps), message, (progress) =>
        ownerFact(topic.item, { type: 'ProgressHeard', from: topic.node, progress, path: message.path }),
      );
    case 'response':
      return use(openSignedMessage(topic, message, key, deps), message, (response) => ({
        type: 'FitHeard',
        node: topic.node,
        response,
      }));
    case 'result':
      return use(openSignedMessage(topic, message, key, deps), message, (result) =>
        ownerFact(topic.item, { type: 'ResultHeard', from: topic.node, result, path: message.path }),
      );
    default:
      return undefined;
  }
}

/** Every node receives every lease message: checking the signature of one for another node is a waste. */
function readLease(
  topic: Topic & { kind: 'lease' },
  message: Heard,
  key: string | undefined,
  deps: DecodeWorkDeps,
): NodeInput | undefined {
  const lease = deps.codec.decodeMessage(deps.base, topic, message.payload);
  if (lease.ok && lease.value.to !== deps.self) return undefined;
  return use(verifySignature(lease, key, deps), message, (value) => ({
    type: 'LeaseHeard',
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

/** What may come by the direct path: the messages of a lease between two nodes, and nothing else. */
const DIRECT_KINDS: ReadonlySet<Topic['kind']> = new Set(['ack', 'lease', 'progress', 'result']);

/**
 * Accepts a message that is for this node, of a kind that may come this way, and of the writer whose key the peer has
 * shown.
 */
export function decodeDirect(
  peerKey: string,
  { topic: text, payload }: DirectMessage,
  deps: DecodeWorkDeps,
): DirectDecoded {
  const topic = deps.codec.parseTopic(deps.base, text);
  const message = { topic: text, payload: new TextEncoder().encode(payload), retained: false, path: 'direct' } as const;
  const writer = topic !== undefined && DIRECT_KINDS.has(topic.kind) ? writerOf(topic) : undefined;
  const isMeant = topic !== undefined && (!('node' in topic) || ('owner' in topic && topic.owner === deps.self));
  if (topic === undefined || writer === undefined || writer === deps.self || !isMeant)
    return { verdict: 'unknown', input: refuse(message, 'this message may not come by the direct path') };
  if (deps.keyOf(writer) !== peerKey)
    return { verdict: 'unknown', input: refuse(message, 'its writer is not the peer that sent it') };
  const input = decodeWork(topic, message, deps);
  return { verdict: input?.type === 'MessageRefused' ? 'malformed' : 'taken', input };
}

type Place = { readonly owner: string; readonly item: string };

function place(topic: Place): Place {
  return { owner: topic.owner, item: topic.item };
}

function ownerFact(item: string, input: Extract<NodeInput, { type: 'ItemInput' }>['input']): NodeInput {
  return { type: 'ItemInput', item, input };
}

/** Refuses a message: it is counted and changes nothing else. */
export function refuse(message: BusMessage, reason: string): NodeInput {
  return { type: 'MessageRefused', topic: message.topic.slice(0, 200), reason };
}
