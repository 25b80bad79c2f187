/**
 * Messages become inputs: the topic is taken apart, the payload decoded, the signature checked against the key that the
 * writer's birth message told. What is malformed, oversized, forged or replayed from a broker's store changes nothing and
 * is counted.
 */
import type { BusMessage } from '../bus/bus.js';
import { decodeText, type Codec } from '../protocol/codec.js';
import type { Topic } from '../protocol/topics.js';
import type { DirectMessage } from '../transfer/direct.js';
import type { NodeInput } from './inputs.js';
import type { KeyPins } from './key-pins.js';
import { readEcho, type Said } from './own-echo.js';
import { checkProof, openMessage } from './proof.js';
import { readRequest, type RequestParts } from './receive-request.js';
import { readDirect, readWork, refuse, type Brought } from './receive-work.js';

/** What receiving goes by. */
export interface ReceiveParts extends RequestParts {
  /** The key of a member, also of one that was not heard in this run. */
  keyOf(node: string): string | undefined;
  /** Whether a member's key is the one that it was first seen with, or may be taken for it from now on. */
  readonly pins: KeyPins;
  readonly codec: Codec;
  /** What this node said itself; without it an echo is an echo. */
  readonly said?: Said | undefined;
}

/** Turns messages into inputs. */
export interface Receiver {
  /** Gives the input of a message; `undefined` for one that is none of ours, such as our own echo. */
  receive(message: BusMessage): NodeInput | undefined;
  /** The same for what a peer brought by the direct path: only work that this peer may write. */
  receiveDirect(peerKey: string, message: DirectMessage): Brought;
  /** States that came before their writer's birth message, to be received again now that it is known. */
  release(node: string): BusMessage | undefined;
}

/** Makes a receiver. */
export function createReceiver(parts: ReceiveParts): Receiver {
  const early = new Map<string, BusMessage>();

  function receive(message: BusMessage): NodeInput | undefined {
    const topic = parts.codec.parseTopic(parts.base, message.topic);
    if (topic === undefined || isCleared(topic, message)) return undefined;
    if (isOwnEcho(topic, message, parts)) return readOwn(topic, message);
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

  function readOwn(topic: Topic, message: BusMessage): NodeInput | undefined {
    const { said } = parts;
    if (said === undefined || (topic.kind !== 'info' && topic.kind !== 'state')) return undefined;
    return readEcho(topic, message, { ...parts, said });
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
    receiveDirect: (peerKey, message) => readDirect(peerKey, message, parts),
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

/** A node that goes by another id now takes what it had retained off the bus: that is no news of anybody. */
function isCleared({ kind }: Topic, { payload }: BusMessage): boolean {
  return payload.byteLength === 0 && (kind === 'availability' || kind === 'info' || kind === 'state');
}

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
