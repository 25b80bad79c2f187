/** Which run of the machine this is: the kernel draws a name for each, and keeps it to its end. */
import { tryReadText } from './try-read.js';

let known = '';

/** The kernel's name for its present run; empty where some container hides it: that is asked again. */
export function readBootId(): string {
  if (known === '') known = (tryReadText('/proc/sys/kernel/random/boot_id') ?? '').trim();
  return known;
}
