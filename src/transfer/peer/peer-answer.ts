/**
 * Interprets a peer's answer: either its body is usable, or an error says why not.
 */
import type { IncomingMessage } from 'node:http';
import { REASON_CHARS_MAX } from '../../protocol/limits.js';
import { describePeerUrl } from '../../protocol/peer-address.js';
import { Refused } from '../outcome.js';
import { Unreachable } from './peer-connect.js';

/** Returns `answer` if it fits a request for the bytes from `start`. Throws {@link Unreachable} or {@link Refused}. */
export async function checkAnswer(
  answer: IncomingMessage,
  { start, urls }: { readonly start: number; readonly urls: readonly string[] },
): Promise<IncomingMessage> {
  const isWanted =
    start === 0
      ? answer.statusCode === 200 || answer.statusCode === 204
      : answer.statusCode === 206 && startsAt(answer, start);
  if (isWanted) return answer;
  const reason = `${urls.map(describePeerUrl).join(', ')}: ${await readRefusal(answer)}`;
  if (answer.statusCode === 404) throw new Unreachable(reason, { isRefusal: true });
  if (answer.statusCode === 409 || answer.statusCode === 416) throw new Refused(reason);
  throw new Unreachable(`${reason} (status ${answer.statusCode ?? 0})`);
}

function startsAt(answer: IncomingMessage, start: number): boolean {
  return answer.headers['content-range']?.startsWith(`bytes ${start}-`) === true;
}

/** Reads the beginning of a refusal; the rest of a long body is not read. */
export async function readRefusal(answer: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of answer) {
      text += String(chunk);
      if (text.length > REASON_CHARS_MAX) break;
    }
  } catch {
    // The text before the connection broke is enough.
  }
  return text.slice(0, REASON_CHARS_MAX).trim();
}
