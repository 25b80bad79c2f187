/** Identifies the current boot of the machine by the random id that the kernel generates for each. */
import { tryReadText } from './try-read.js';

let known = '';

/**
 * The kernel's boot id, cached once read; empty where it is unreadable (some containers hide it), and then read again
 * on the next call.
 */
export function readBootId(): string {
  if (known === '') known = (tryReadText('/proc/sys/kernel/random/boot_id') ?? '').trim();
  return known;
}
