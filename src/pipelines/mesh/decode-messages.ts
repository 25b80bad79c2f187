/**
 * Turns bus messages into inputs: parses the topic, decodes the payload, and checks the signature against the key in
 * the writer's birth message. A message that is malformed, oversized, forged or replayed from a broker's store is
 * counted and changes nothing else.
 */
import type { BusMessage } from '../../bus/bus.js';
import { decodeText, type Codec } from '../../protocol/codec.js';
import type { Topic } from '../../protocol/topics.js';
import type { DirectMessage } from '../../transfer/direct.js';
import type { NodeInput } from '../inputs.js';
import type { KeyPins } from './key-pins.js';
import { readEcho, type OwnPublishing } from '../identity/own-echo.js';
import { verifySignature, openSignedMessage } from './verify-signature.js';
import { decodeRequestMessage, type DecodeRequestDeps } from '../requests/decode-request.js';
import { decodeDirect, decodeWork, refuse, type DirectDecoded } from './decode-work.js';

/** What decoding needs. */
export interface MessageDecoderDeps extends DecodeRequestDeps {
  /** The key of a member, also of one that was not heard in this boot. */
  keyOf(node: string): string | undefined;
  /** Decides whether a member's key is the one that it was first seen with, or may be pinned from now on. */
  readonly pins: KeyPins;
  readonly codec: Codec;
  /** What this node has published itself; without it every echo is ignored. */
  readonly ownPublishing?: OwnPublishing | undefined;
}

/** Turns messages into inputs. */
export interface MessageDecoder {
  /** Returns the input of a message; `undefined` for one that does not concern this node, such as its own echo. */
  receive(message: BusMessage): NodeInput | undefined;
  /** The same for a message that came by the direct path: accepts only work messages that this peer may write. */
  receiveDirect(peerKey: string, message: DirectMessage): DirectDecoded;
  /** The state that came before its writer's birth message, to be received again now that the key is known. */
  release(node: string): BusMessage | undefined;
}

/** Creates a message decoder. */
export function createMessageDecoder(deps: MessageDecoderDeps): MessageDecoder {
  const early = new Map<string, BusMessage>();

  function receive(message: BusMessage): NodeInput | undefined {
    const topic = deps.codec.parseTopic(deps.base, message.topic);
    if (topic === undefined || isCleared(topic, message)) return undefined;
    if (isOwnEcho(topic, message, deps)) return readOwn(topic, message);
    switch (topic.kind) {
      case 'availability':
        return readAvailability(topic.node, message);
      case 'set':
        return message.retained ? refuse(message, 'a command must not be retained') : readSet(topic.key, message);
      case 'request':
        return decodeRequestMessage(topic.node, topic.verb, message, deps);
      case 'response':
        // Of responses, only these are decoded: a node that did not ask does not know the transaction.
        return topic.verb === 'fit' ? decodeWork(topic, message, deps) : undefined;
      case 'info':
        return readInfo(topic, message, deps);
      case 'state':
        return readState(topic, message);
      default:
        return decodeWork(topic, message, deps);
    }
  }

  function readOwn(topic: Topic, message: BusMessage): NodeInput | undefined {
    const { ownPublishing } = deps;
    if (ownPublishing === undefined || (topic.kind !== 'info' && topic.kind !== 'state')) return undefined;
    return readEcho(topic, message, { ...deps, ownPublishing });
  }

  function readState(topic: Topic & { readonly kind: 'state' }, message: BusMessage): NodeInput | undefined {
    const key = deps.members.get(topic.node)?.info?.key;
    if (key === undefined) {
      if (message.payload.byteLength > EARLY_BYTES_MAX)
        return refuse(message, 'payload is too large to be kept until its writer is known');
      // Retained messages come in any order: keep the last state of each member until its key is known.
      if (early.size < deps.members.size + EARLY_MAX) early.set(topic.node, message);
      return undefined;
    }
    const decoded = openSignedMessage(topic, message, key, deps);
    if (!decoded.ok) return refuse(message, `${decoded.field} ${decoded.reason}`);
    return { type: 'StateHeard', node: topic.node, state: decoded.value, fresh: !message.retained };
  }

  return {
    receive,
    receiveDirect: (peerKey, message) => decodeDirect(peerKey, message, deps),
    release: (node) => {
      const message = early.get(node);
      early.delete(node);
      return message;
    },
  };
}

/**
 * Number of early states kept, beyond one per member, and the size limit of one in bytes: a real state has a few
 * hundred.
 */
const EARLY_MAX = 256;
const EARLY_BYTES_MAX = 2048;

/** A node that takes another id clears its retained topics under the old one. That is not news of any member. */
function isCleared({ kind }: Topic, { payload }: BusMessage): boolean {
  return payload.byteLength === 0 && (kind === 'availability' || kind === 'info' || kind === 'state');
}

function isOwnEcho(topic: Topic, message: BusMessage, deps: MessageDecoderDeps): boolean {
  const { self } = deps;
  switch (topic.kind) {
    // Our own birth comes back to us; a birth under our id with another key is not an echo.
    case 'info':
      return topic.node === self && !isBirthWithOtherKey(topic, message, deps);
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

function isBirthWithOtherKey(
  topic: Topic & { readonly kind: 'info' },
  message: BusMessage,
  deps: MessageDecoderDeps,
): boolean {
  const decoded = deps.codec.decodeMessage(deps.base, topic, message.payload);
  return decoded.ok && decoded.value.key !== deps.identity.publicKey;
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
  if (!SETTABLE.has(key)) return refuse(message, `no such setting: ${key}; must be drain or accept`);
  if (value !== 'ON' && value !== 'OFF') return refuse(message, `${key} must be ON or OFF`);
  return { type: 'SetHeard', key, value };
}

function readInfo(topic: Topic & { readonly kind: 'info' }, message: BusMessage, deps: MessageDecoderDeps): NodeInput {
  const decoded = deps.codec.decodeMessage(deps.base, topic, message.payload);
  if (!decoded.ok) return refuse(message, `${decoded.field} ${decoded.reason}`);
  // A birth proves that its writer holds the key in it; the pins decide whether it is this member's key.
  const signed = verifySignature(decoded, decoded.value.key, deps);
  if (!signed.ok) return refuse(message, `${signed.field} ${signed.reason}`);
  if (topic.node === deps.self) return { type: 'RivalHeard', host: signed.value.host };
  const fault = deps.pins.admit(topic.node, signed.value.key);
  return fault === undefined ? { type: 'InfoHeard', node: topic.node, info: signed.value } : refuse(message, fault);
}
