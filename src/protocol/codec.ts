/**
 * The decoder: takes bytes and returns a validated message, or the name of the first invalid field. It never throws,
 * whatever the bytes are.
 */
import type { z } from 'zod';
import { readProof, type Proof } from './envelope.js';
import { DEPTH_MAX, FIELD_CHARS_MAX, MESSAGE_BYTES_MAX } from './limits.js';
import type { Message, MessageKind } from './messages.js';
import { messageSchemas } from './schemas.js';
import { formatTopic, parseTopic, type Topic } from './topics.js';

/** The result of decoding: the value with its proof, or the field that was invalid and why. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T; readonly proof: Proof | undefined }
  | { readonly ok: false; readonly field: string; readonly reason: string };

/** Parses topics and decodes payloads. Neither function ever throws. */
export interface Codec {
  parseTopic(base: string, text: string): Topic | undefined;
  decodeMessage<K extends MessageKind>(
    base: string,
    topic: Topic & { readonly kind: K },
    payload: Uint8Array,
  ): Decoded<Message<K>>;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Whether topics of this kind carry a stamped JSON message. */
export function isMessageKind(kind: string): kind is MessageKind {
  return Object.hasOwn(messageSchemas, kind);
}

/** Decodes the payload of a stamped message; never throws. */
export function decodeMessage<K extends MessageKind>(
  base: string,
  topic: Topic & { readonly kind: K },
  payload: Uint8Array,
): Decoded<Message<K>> {
  const text = decodeText(payload);
  if (!text.ok) return text;
  const json = parseJson(text.value);
  if (!json.ok) return json;
  const parsed = messageSchemas[topic.kind].safeParse(json.value);
  if (!parsed.success) return describeFault(parsed.error);
  return { ok: true, value: parsed.data, proof: readProof(formatTopic(base, topic), text.value) };
}

/** The codec for messages from the broker and from peers. */
export const wireCodec: Codec = { parseTopic, decodeMessage };

/** Decodes bytes as UTF-8 text within the size limit. */
export function decodeText(payload: Uint8Array): Decoded<string> {
  if (payload.byteLength > MESSAGE_BYTES_MAX) {
    return refuse('payload', `has ${payload.byteLength} bytes, at most ${MESSAGE_BYTES_MAX} are read`);
  }
  try {
    return { ok: true, value: utf8.decode(payload), proof: undefined };
  } catch {
    return refuse('payload', 'is not UTF-8');
  }
}

/**
 * Parses JSON text; never throws. Refuses nesting deeper than {@link DEPTH_MAX}: serializing it again would overflow
 * the stack.
 */
export function parseJson(text: string): Decoded<unknown> {
  if (isDeep(text)) return refuse('payload', `is nested deeper than ${DEPTH_MAX} levels`);
  try {
    return { ok: true, value: JSON.parse(text) as unknown, proof: undefined };
  } catch {
    return refuse('payload', 'is not JSON');
  }
}

/** Names the first field that a schema rejected. The name may come from outside, so a long one is cut. */
export function describeFault(error: z.ZodError): Decoded<never> {
  const issue = error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? 'payload' : issue.path.join('.');
  return refuse(field.slice(0, FIELD_CHARS_MAX), issue?.message ?? 'is not valid');
}

/**
 * Whether brackets are nested too deep. Few messages contain that many brackets at all, so a cheap count comes first.
 */
function isDeep(text: string): boolean {
  if (countUpTo(text, '[', DEPTH_MAX) + countUpTo(text, '{', DEPTH_MAX) <= DEPTH_MAX) return false;
  let depth = 0;
  for (const [token] of text.matchAll(/[[\]{}]|"(?:[^"\\]|\\.)*"/g)) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    if (depth > DEPTH_MAX) return true;
  }
  return false;
}

/** How often a character occurs in a text; stops counting past `most`. */
function countUpTo(text: string, character: string, most: number): number {
  let count = 0;
  for (let at = text.indexOf(character); at >= 0 && count <= most; at = text.indexOf(character, at + 1)) count += 1;
  return count;
}

function refuse(field: string, text: string): Decoded<never> {
  return { ok: false, field, reason: text };
}
