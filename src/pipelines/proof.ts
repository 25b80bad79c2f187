/**
 * The proof of a message: whether it was signed with the key that its writer's birth message told.
 */
import type { BusMessage } from '../bus/bus.js';
import type { Identity } from '../identity/identity.js';
import type { Codec, Decoded } from '../protocol/codec.js';
import type { Message, MessageKind } from '../protocol/messages.js';
import type { Topic } from '../protocol/topics.js';

/** What checking goes by. */
export interface ProofParts {
  readonly base: string;
  readonly identity: Identity;
  readonly codec: Codec;
}

/** Refuses what is not signed with the key of its writer; `undefined` for a key that is not known. */
export function checkProof<T>(
  decoded: Decoded<T>,
  key: string | undefined,
  parts: Pick<ProofParts, 'identity'>,
): Decoded<T> {
  if (!decoded.ok) return decoded;
  if (key === undefined)
    return { ok: false, field: 'sig', reason: 'cannot be checked: the birth of its writer was not heard' };
  const { proof } = decoded;
  if (proof === undefined) return { ok: false, field: 'sig', reason: 'is missing' };
  if (!parts.identity.verify(key, proof.covered, proof.signature)) {
    return { ok: false, field: 'sig', reason: 'does not fit the key of its writer' };
  }
  return decoded;
}

/** Decodes a message and checks its proof. */
export function openMessage<K extends MessageKind>(
  topic: Topic & { readonly kind: K },
  message: BusMessage,
  key: string | undefined,
  parts: ProofParts,
): Decoded<Message<K>> {
  return checkProof(parts.codec.decodeMessage<K>(parts.base, topic, message.payload), key, parts);
}
