/**
 * Closes what the process that started this one left open by accident: every job would inherit it, and a job that
 * shares a pipe with a stranger cannot be frozen. It goes by nothing but the flags of a descriptor, so it must run
 * before anything is opened: the library of the journal and of the broker's store opens its files without O_CLOEXEC,
 * and they would look inherited.
 */
import { closeSync, fstatSync } from 'node:fs';
import { readDescriptorFlags } from './proc-files.js';
import { tryListNames } from './try-read.js';

/** The flag of descriptors that no program started from here gets: all that Node.js opens itself. */
const O_CLOEXEC = 0o2000000;

/** A descriptor that a path names, as a shell passes `<(command)` and `/dev/fd/9`. */
const NAMED_PATTERN = /\/(?:dev|proc\/self)\/fd\/(\d+)/g;

/**
 * Closes them; where there is no /proc it does nothing. Sockets may have been given on purpose and are spared, and so
 * is what one of `texts` (arguments, values of variables) names by a path such as `/dev/fd/63`. Call it once, first of
 * all.
 */
export function closeInherited(texts: readonly string[] = []): void {
  const named = new Set(texts.flatMap((text) => [...text.matchAll(NAMED_PATTERN)].map(([, number]) => Number(number))));
  for (const descriptor of tryListNames('/proc/self/fd').map(Number)) {
    if (descriptor <= 2 || named.has(descriptor) || isOurs(descriptor)) continue;
    try {
      if (!fstatSync(descriptor).isSocket()) closeSync(descriptor);
    } catch {
      // It was that of the listing itself.
    }
  }
}

function isOurs(descriptor: number): boolean {
  const flags = readDescriptorFlags('self', descriptor);
  return flags === undefined || (flags & O_CLOEXEC) !== 0;
}
