/**
 * Answers a request, at once or later: the response stands behind the writes of the subject that it speaks of.
 */
import { say } from '../core/effects.js';
import { clip } from '../protocol/clip.js';
import type { NodeInput } from './inputs.js';

/** What became of a request, or the sentence why not. */
export type Answer = { readonly data: Readonly<Record<string, unknown>> } | { readonly error: string };

/** Answers; the sentence is cut to what a message may hold. */
export function respond(
  verb: string,
  transaction: string | undefined,
  answer: Answer,
  subject: string,
  parts: { readonly self: string; push(input: NodeInput): void },
): void {
  const topic = { kind: 'response', node: parts.self, verb } as const;
  const echo = transaction === undefined ? {} : { transaction };
  const body =
    'error' in answer
      ? { status: 'error' as const, error: clip(answer.error), data: {}, ...echo }
      : { status: 'ok' as const, data: answer.data, ...echo };
  parts.push({ type: 'RequestAnswered', subject, response: say(topic, body) });
}
