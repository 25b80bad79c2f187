/** Sentences that travel: a message with a longer one would be refused by everybody who hears it. */
import { REASON_CHARS_MAX } from './limits.js';

/** Cuts a sentence to what a message may carry. */
export function clip(text: string): string {
  return text.length <= REASON_CHARS_MAX ? text : `${text.slice(0, REASON_CHARS_MAX - 1)}…`;
}
