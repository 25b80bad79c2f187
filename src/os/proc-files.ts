/**
 * What /proc tells of processes beside their line in `stat`: which there are, and the small files and links of each.
 * What is gone or not ours to read is empty. Linux only.
 */
import { readdirSync } from 'node:fs';
import { tryReadLink, tryReadText } from './try-read.js';

/** The pids of all processes, in no order that means anything. Throws when the directory cannot be read. */
export function listPids(procDir: string = '/proc'): readonly number[] {
  const pids: number[] = [];
  for (const name of readdirSync(procDir)) if (isPid(name)) pids.push(Number(name));
  return pids;
}

/** A file of /proc/PID. */
export function readProc(pid: number, name: string): string {
  return tryReadText(`/proc/${pid}/${name}`) ?? '';
}

/** Where a link of /proc/PID leads. */
export function readProcLink(pid: number, name: string): string {
  return tryReadLink(`/proc/${pid}/${name}`) ?? '';
}

/** The words of its command line. */
export function readCommandLine(pid: number): readonly string[] {
  return readProc(pid, 'cmdline').replace(/\0$/, '').split('\0');
}

/** Its pids, from this pid namespace to its innermost; none when that cannot be read. */
export function readPidsWithin(pid: number): readonly number[] {
  const pids = /^NSpid:\s*(.*)$/m.exec(readProc(pid, 'status'))?.[1];
  return pids === undefined ? [] : pids.split(/\s+/).map(Number);
}

/** Its users: real, effective, saved, of its files; none when that cannot be read. */
export function readUserIds(pid: number): readonly number[] {
  const [, ...ids] = /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)/m.exec(readProc(pid, 'status')) ?? [];
  return ids.map(Number);
}

/** The flags that an open file of a process was opened with, and O_CLOEXEC; `undefined` when that cannot be read. */
export function readDescriptorFlags(pid: number | 'self', descriptor: number | string): number | undefined {
  const text = tryReadText(`/proc/${pid}/fdinfo/${descriptor}`) ?? '';
  const flags = /^flags:\s*([0-7]+)$/m.exec(text)?.[1];
  return flags === undefined ? undefined : Number.parseInt(flags, 8);
}

/** Nothing else there begins with a digit. */
function isPid(name: string): boolean {
  const code = name.charCodeAt(0);
  return code >= 0x31 && code <= 0x39;
}
