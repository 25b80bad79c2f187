/**
 * The body of a direct-path request or answer: messages, and the addresses their sender listens on. Incoming batches
 * are checked here; the messages themselves are parsed where those of the bus are.
 */
import { MESSAGE_BYTES_MAX, TOPIC_BYTES_MAX } from '../../protocol/limits.js';
import { parsePeerUrl } from '../../protocol/peer-address.js';
import type { DirectMessage } from '../direct.js';

/** The body of one request or answer. */
export interface Batch {
  /** `https://host:port`, in the order to try. */
  readonly urls: readonly string[];
  readonly messages: readonly DirectMessage[];
}

/** Limits for one batch: messages, and addresses. */
export const BATCH_MESSAGES_MAX = 64;
const URLS_MAX = 16;

/** Encodes a batch as JSON; addresses beyond the limit are dropped. */
export function encodeBatch({ urls, messages }: Batch): string {
  return JSON.stringify({ urls: urls.slice(0, URLS_MAX), messages });
}

/** Parses a batch; `undefined` when it is malformed or over a limit. An empty body is an empty batch. */
export function decodeBatch(bytes: Buffer | undefined): Batch | undefined {
  if (bytes === undefined) return undefined;
  if (bytes.length === 0) return { urls: [], messages: [] };
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  const { urls, messages } = (value ?? {}) as { readonly urls?: unknown; readonly messages?: unknown };
  if (!Array.isArray(urls) || !Array.isArray(messages)) return undefined;
  if (urls.length > URLS_MAX || messages.length > BATCH_MESSAGES_MAX) return undefined;
  if (!urls.every(isUrl) || !messages.every(isMessage)) return undefined;
  return { urls, messages: messages.map(({ topic, payload }) => ({ topic, payload })) };
}

function isUrl(value: unknown): value is string {
  return typeof value === 'string' && value.length <= TOPIC_BYTES_MAX && parsePeerUrl(value) !== undefined;
}

function isMessage(value: unknown): value is DirectMessage {
  if (typeof value !== 'object' || value === null) return false;
  const { topic, payload } = value as Record<string, unknown>;
  if (typeof topic !== 'string' || topic.length > TOPIC_BYTES_MAX) return false;
  return typeof payload === 'string' && Buffer.byteLength(payload) <= MESSAGE_BYTES_MAX;
}
