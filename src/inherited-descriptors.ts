/**
 * Closes what the process that started this one left open by accident: every job would inherit it, and a job that shares a
 * pipe with a stranger cannot be frozen. It spares sockets, which may have been given on purpose.
 */
import { closeSync, fstatSync, readdirSync, readFileSync } from 'node:fs';

/** The flag of descriptors that no program started from here gets: all that Node.js opens itself. */
const O_CLOEXEC = 0o2000000;

/** Closes them; where there is no /proc it does nothing. */
export function closeInherited(): void {
  for (const descriptor of listDescriptors()) {
    if (descriptor <= 2 || isOurs(descriptor)) continue;
    try {
      if (!fstatSync(descriptor).isSocket()) closeSync(descriptor);
    } catch {
      // It was that of the listing itself.
    }
  }
}

function listDescriptors(): readonly number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return [];
  }
}

function isOurs(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
    return flags === undefined || (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0;
  } catch {
    return true;
  }
}
