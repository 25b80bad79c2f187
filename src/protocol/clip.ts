/** Limits sentences that travel in messages: every node rejects a message with a longer one. */
import { REASON_CHARS_MAX } from './limits.js';

/** Cuts a sentence to {@link REASON_CHARS_MAX} characters; a cut one ends in an ellipsis. */
export function clip(text: string): string {
  return text.length <= REASON_CHARS_MAX ? text : `${text.slice(0, REASON_CHARS_MAX - 1)}…`;
}
