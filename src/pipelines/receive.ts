/**
 * Messages become inputs: the topic is taken apart, the payload decoded, the signature checked against the key that the
 * writer's birth message told. What is malformed, oversized, forged or replayed from a broker's store changes nothing and
 * is counted.
 */
import type { MeshView } from '../core/mesh.js';
import type { BusMessage } from '../bus/bus.js';
import type { Identity } from '../identity/identity.js';
import { decodeText, isMessageKind, type Codec, type Decoded } from '../protocol/codec.js';
import { REQUEST_AGE_MS_MAX } from '../protocol/limits.js';
import { decodeRequest, isVerb, peekTransaction, type Request, type Verb } from '../protocol/requests.js';
import type { Topic } from '../protocol/topics.js';
import type { NodeInput } from './inputs.js';
import type { KeyPins } from './key-pins.js';
import { checkProof, openMessage } from './proof.js';

/** What receiving goes by. */
export interface ReceiveParts {
  readonly self: string;
  readonly base: string;
  readonly identity: Identity;
  readonly view: MeshView;
  /** Whether a member's key is the one that it was first seen with, or may be taken for it from now on. */
  readonly pins: KeyPins;
  /** Verbs that may come unsigned. */
  readonly unsignedVerbs: readonly string[];
  readonly codec: Codec;
  /** Wall clock, ms: a signed request is taken within {@link REQUEST_AGE_MS_MAX} of it. */
  wall(): number;
}

/** Turns messages into inputs. */
export interface Receiver {
  /** Gives the input of a message; `undefined` for one that is none of ours, such as our own echo. */
  receive(message: BusMessage): NodeInput | undefined;
  /** States that came before their writer's birth message, to be received again now that it is known. */
  release(node: string): BusMessage | undefined;
}

/** Makes a receiver. */
export function createReceiver(parts: ReceiveParts): Receiver {
  const early = new Map<string, BusMessage>();

  function receive(message: BusMessage): NodeInput | undefined {
    const topic = parts.codec.parseTopic(parts.base, message.topic);
    if (topic === undefined || isOwnEcho(topic, message, parts)) return undefined;
    switch (topic.kind) {
      case 'availability':
        return readAvailability(topic.node, message);
      case 'set':
        return message.retained ? refuse(message, 'a command must not be retained') : readSet(topic.key, message);
      case 'request':
        return readRequest(topic.node, topic.verb, message, parts);
      case 'response':
        // Of the answers of others only these are heard: whoever did not ask does not know the transaction.
        return topic.verb === 'fit' ? readWork(topic, message, parts) : undefined;
      case 'info':
        return readInfo(topic, message, parts);
      case 'state':
        return readState(topic, message);
      default:
        return readWork(topic, message, parts);
    }
  }

  function readState(topic: Topic & { readonly kind: 'state' }, message: BusMessage): NodeInput | undefined {
    const key = parts.view.get(topic.node)?.info?.key;
    if (key === undefined) {
      if (message.payload.byteLength > EARLY_BYTES_MAX)
        return refuse(message, 'payload is too large to be kept until its writer is known');
      // Retained messages come in any order: keep the last state of each until its key is known.
      if (early.size < parts.view.size + EARLY_MAX) early.set(topic.node, message);
      return undefined;
    }
    const decoded = openMessage(topic, message, key, parts);
    if (!decoded.ok) return refuse(message, `${decoded.field} ${decoded.reason}`);
    return { type: 'StateHeard', node: topic.node, state: decoded.value, fresh: !message.retained };
  }

  return {
    receive,
    release: (node) => {
      const message = early.get(node);
      early.delete(node);
      return message;
    },
  };
}

/** States kept of members whose birth was not heard yet, and bytes of one: a state that a node says has a few hundred. */
const EARLY_MAX = 256;
const EARLY_BYTES_MAX = 2048;

function isOwnEcho(topic: Topic, message: BusMessage, parts: ReceiveParts): boolean {
  const { self } = parts;
  switch (topic.kind) {
    // Our own birth comes back to us; one of another key under our id is no echo.
    case 'info':
      return topic.node === self && !isForeignBirth(topic, message, parts);
    case 'offer':
    case 'ack':
    case 'lease':
    case 'status':
      return topic.owner === self;
    case 'set':
    case 'request':
    case 'mesh':
      return false;
    default:
      return topic.node === self;
  }
}

function isForeignBirth(topic: Topic & { readonly kind: 'info' }, message: BusMessage, parts: ReceiveParts): boolean {
  const decoded = parts.codec.decodeMessage(parts.base, topic, message.payload);
  return decoded.ok && decoded.value.key !== parts.identity.publicKey;
}

function readAvailability(node: string, message: BusMessage): NodeInput {
  const text = decodeText(message.payload);
  if (!text.ok || (text.value !== 'online' && text.value !== 'offline')) {
    return refuse(message, 'availability must be online or offline');
  }
  return { type: 'AvailabilityHeard', node, online: text.value === 'online' };
}

const SETTABLE: ReadonlySet<string> = new Set(['drain', 'accept']);

function readSet(key: string, message: BusMessage): NodeInput {
  const text = decodeText(message.payload);
  if (!text.ok) return refuse(message, text.reason);
  const value = text.value.trim().toUpperCase();
  if (!SETTABLE.has(key)) return refuse(message, `no such setting: ${key}; there are drain and accept`);
  if (value !== 'ON' && value !== 'OFF') return refuse(message, `${key} must be ON or OFF`);
  return { type: 'SetHeard', key, value };
}

function readInfo(topic: Topic & { readonly kind: 'info' }, message: BusMessage, parts: ReceiveParts): NodeInput {
  const decoded = parts.codec.decodeMessage(parts.base, topic, message.payload);
  if (!decoded.ok) return refuse(message, `${decoded.field} ${decoded.reason}`);
  // A birth proves that its writer holds the key it tells; whether it is this member's key, the pins say.
  const signed = checkProof(decoded, decoded.value.key, parts);
  if (!signed.ok) return refuse(message, `${signed.field} ${signed.reason}`);
  if (topic.node === parts.self) return { type: 'RivalHeard', host: signed.value.host };
  const fault = parts.pins.admit(topic.node, signed.value.key);
  return fault === undefined ? { type: 'InfoHeard', node: topic.node, info: signed.value } : refuse(message, fault);
}

function readWork(topic: Topic, message: BusMessage, parts: ReceiveParts): NodeInput | undefined {
  if (!isMessageKind(topic.kind)) return undefined;
  if (message.retained) return refuse(message, 'work is never retained');
  const writer = 'node' in topic ? topic.node : 'owner' in topic ? topic.owner : undefined;
  const key = writer === undefined ? undefined : parts.view.get(writer)?.info?.key;
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
      }));
    case 'lease':
      return readLease(topic, message, key, parts);
    case 'claim':
      return use(openMessage(topic, message, key, parts), message, (claim) =>
        ownerFact(topic.item, { type: 'ClaimHeard', from: topic.node, claim }),
      );
    case 'progress':
      return use(openMessage(topic, message, key, parts), message, (progress) =>
        ownerFact(topic.item, { type: 'ProgressHeard', from: topic.node, progress }),
      );
    case 'response':
      return use(openMessage(topic, message, key, parts), message, (response) => ({
        type: 'FitHeard',
        node: topic.node,
        response,
      }));
    case 'result':
      return use(openMessage(topic, message, key, parts), message, (result) =>
        ownerFact(topic.item, { type: 'ResultHeard', from: topic.node, result }),
      );
    default:
      return undefined;
  }
}

/** Every node hears every lease: one for another node is not worth checking its signature. */
function readLease(
  topic: Topic & { kind: 'lease' },
  message: BusMessage,
  key: string | undefined,
  parts: ReceiveParts,
): NodeInput | undefined {
  const lease = parts.codec.decodeMessage(parts.base, topic, message.payload);
  if (lease.ok && lease.value.to !== parts.self) return undefined;
  return use(checkProof(lease, key, parts), message, (value) => ({ type: 'LeaseSeen', ...place(topic), lease: value }));
}

function use<T>(decoded: Decoded<T>, message: BusMessage, make: (value: T) => NodeInput): NodeInput {
  return decoded.ok ? make(decoded.value) : refuse(message, `${decoded.field} ${decoded.reason}`);
}

type Place = { readonly owner: string; readonly item: string };

function place(topic: Place): Place {
  return { owner: topic.owner, item: topic.item };
}

function ownerFact(item: string, fact: Extract<NodeInput, { type: 'OwnerFact' }>['fact']): NodeInput {
  return { type: 'OwnerFact', item, fact };
}

function readRequest(node: string, verb: string, message: BusMessage, parts: ReceiveParts): NodeInput {
  if (message.retained) return refuse(message, 'a request must not be retained');
  const transaction = peekTransaction(message.payload);
  if (!isVerb(verb)) return { type: 'RequestRefused', verb, reason: `no such request: ${verb}`, transaction };
  const decoded = decodeRequest(parts.base, node, verb, message.payload);
  if (!decoded.ok) return { type: 'RequestRefused', verb, reason: `${decoded.field} ${decoded.reason}`, transaction };
  const signer = findSigner(decoded, parts);
  if (!signer.ok) return { type: 'RequestRefused', verb, reason: `${signer.field} ${signer.reason}`, transaction };
  return { type: 'RequestHeard', request: decoded.value, signedBy: signer.value };
}

/** Who signed a request; `undefined` for an unsigned one of a verb that may be. */
function findSigner(decoded: Decoded<Request> & { ok: true }, parts: ReceiveParts): Decoded<string | undefined> {
  const { from, ts, verb } = decoded.value;
  if (from === undefined || decoded.proof === undefined) return allowUnsigned(verb, parts);
  const key = from === parts.self ? parts.identity.publicKey : parts.view.get(from)?.info?.key;
  const checked = checkProof(decoded, key, parts);
  if (!checked.ok) return checked;
  const age = Math.abs(parts.wall() - Date.parse(ts ?? ''));
  if (!(age <= REQUEST_AGE_MS_MAX))
    return { ok: false, field: 'ts', reason: 'must be within 5 minutes of the clock here' };
  return { ok: true, value: from, proof: decoded.proof };
}

function allowUnsigned(verb: Verb, parts: ReceiveParts): Decoded<undefined> {
  if (parts.unsignedVerbs.includes(verb)) return { ok: true, value: undefined, proof: undefined };
  return { ok: false, field: 'sig', reason: `is missing: ${verb} must be signed by a member` };
}

function refuse(message: BusMessage, reason: string): NodeInput {
  return { type: 'MessageRefused', topic: message.topic.slice(0, 200), reason };
}
