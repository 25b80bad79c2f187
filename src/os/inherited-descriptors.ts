/**
 * Closes descriptors that the parent process leaked into this one: every job would inherit them, and a job that
 * shares a pipe with an unrelated process cannot be frozen. It looks only at descriptor flags, so it must run before
 * anything is opened: the database library behind the journal and the broker's store opens its files without
 * O_CLOEXEC, and these would be taken for inherited ones.
 */
import { closeSync, fstatSync } from 'node:fs';
import { readDescriptorFlags } from './proc-files.js';
import { tryListNames } from './try-read.js';

/** Set on every descriptor that Node.js opens: child processes do not inherit it. */
const O_CLOEXEC = 0o2000000;

/** A descriptor that is passed by path, as a shell does for `<(command)`, or as `/dev/fd/9`. */
const NAMED_PATTERN = /\/(?:dev|proc\/self)\/fd\/(\d+)/g;

/**
 * Closes inherited descriptors above 2; without /proc it does nothing. Sockets are spared, since they may have been
 * passed on purpose, as are descriptors that one of `texts` (arguments, environment values) names by a path such as
 * `/dev/fd/63`. Call it once, before anything else.
 */
export function closeInherited(texts: readonly string[] = []): void {
  const named = new Set(texts.flatMap((text) => [...text.matchAll(NAMED_PATTERN)].map(([, number]) => Number(number))));
  for (const descriptor of tryListNames('/proc/self/fd').map(Number)) {
    if (descriptor <= 2 || named.has(descriptor) || isOurs(descriptor)) continue;
    try {
      if (!fstatSync(descriptor).isSocket()) closeSync(descriptor);
    } catch {
      // It was the descriptor of the directory listing, which is closed already.
    }
  }
}

function isOurs(descriptor: number): boolean {
  const flags = readDescriptorFlags('self', descriptor);
  return flags === undefined || (flags & O_CLOEXEC) !== 0;
}
