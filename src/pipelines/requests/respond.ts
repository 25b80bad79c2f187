/** Answers a request, at once or later: the response waits behind the writes of its subject. */
import { publish } from '../../core/effects.js';
import { clip } from '../../protocol/clip.js';
import type { Reason, ReasonCode } from '../../protocol/reasons.js';
import type { NodeInput } from '../inputs.js';

/** The outcome of a request, or why it failed, with the reason's code if it has one. */
export type Answer =
  | { readonly data: Readonly<Record<string, unknown>> }
  | { readonly error: string; readonly code?: ReasonCode | undefined };

/** The answer that refuses a request for this reason. */
export function refuseRequest({ code, text }: Reason): Answer {
  return { error: text, code };
}

/** Publishes an answer; a long error is cut to what a message may hold. */
export function respond(
  verb: string,
  transaction: string | undefined,
  answer: Answer,
  subject: string,
  deps: { readonly self: string; push(input: NodeInput): void },
): void {
  const topic = { kind: 'response', node: deps.self, verb } as const;
  const echo = transaction === undefined ? {} : { transaction };
  const body =
    'error' in answer
      ? { status: 'error' as const, error: clip(answer.error), ...codeOf(answer), data: {}, ...echo }
      : { status: 'ok' as const, data: answer.data, ...echo };
  deps.push({ type: 'RequestAnswered', subject, response: publish(topic, body) });
}

function codeOf({ code }: { readonly code?: ReasonCode | undefined }): { readonly code?: ReasonCode } {
  return code === undefined ? {} : { code };
}
