/** Verifies messages: whether they were signed with the key in their writer's birth message. */
import type { BusMessage } from '../../bus/bus.js';
import type { Identity } from '../../identity/identity.js';
import type { Codec, Decoded } from '../../protocol/codec.js';
import type { Message, MessageKind } from '../../protocol/messages.js';
import type { Topic } from '../../protocol/topics.js';

/** What verifying needs. */
export interface VerifyDeps {
  readonly base: string;
  readonly identity: Identity;
  readonly codec: Codec;
}

/** Refuses a message that is not signed with the key of its writer; `key` is `undefined` if it is not known. */
export function verifySignature<T>(
  decoded: Decoded<T>,
  key: string | undefined,
  deps: Pick<VerifyDeps, 'identity'>,
): Decoded<T> {
  if (!decoded.ok) return decoded;
  if (key === undefined)
    return { ok: false, field: 'sig', reason: 'cannot be checked: no birth message of its writer has been received' };
  const { proof } = decoded;
  if (proof === undefined) return { ok: false, field: 'sig', reason: 'is missing' };
  if (!deps.identity.verify(key, proof.covered, proof.signature)) {
    return { ok: false, field: 'sig', reason: 'does not match the key of its writer' };
  }
  return decoded;
}

/** Decodes a message and verifies its signature. */
export function openSignedMessage<K extends MessageKind>(
  topic: Topic & { readonly kind: K },
  message: BusMessage,
  key: string | undefined,
  deps: VerifyDeps,
): Decoded<Message<K>> {
  return verifySignature(deps.codec.decodeMessage<K>(deps.base, topic, message.payload), key, deps);
}
