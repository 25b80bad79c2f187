/**
 * Reads what /proc knows of processes apart from `stat`: the list of pids, and small files and links of each process.
 * Whatever is gone or unreadable comes back empty. Linux only.
 */
import { readdirSync } from 'node:fs';
import { tryReadLink, tryReadText } from './try-read.js';

/** The pids of all processes, in no particular order. Throws when the directory cannot be read. */
export function listPids(procDir: string = '/proc'): readonly number[] {
  const pids: number[] = [];
  for (const name of readdirSync(procDir)) if (isPid(name)) pids.push(Number(name));
  return pids;
}

/** The text of a file in /proc/PID; empty when it cannot be read. */
export function readProc(pid: number, name: string): string {
  return tryReadText(`/proc/${pid}/${name}`) ?? '';
}

/** The target of a link in /proc/PID; empty when it cannot be read. */
export function readProcLink(pid: number, name: string): string {
  return tryReadLink(`/proc/${pid}/${name}`) ?? '';
}

/** The arguments of a process, program first; one empty string when they cannot be read. */
export function readCommandLine(pid: number): readonly string[] {
  return readProc(pid, 'cmdline').replace(/\0$/, '').split('\0');
}

/** The pids of a process from this pid namespace to its innermost one; empty when they cannot be read. */
export function readPidsWithin(pid: number): readonly number[] {
  const pids = /^NSpid:\s*(.*)$/m.exec(readProc(pid, 'status'))?.[1];
  return pids === undefined ? [] : pids.split(/\s+/).map(Number);
}

/** The user ids of a process: real, effective, saved, file system; empty when they cannot be read. */
export function readUserIds(pid: number): readonly number[] {
  const [, ...ids] = /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)/m.exec(readProc(pid, 'status')) ?? [];
  return ids.map(Number);
}

/** The flags an open file of a process was opened with, O_CLOEXEC included; `undefined` when they cannot be read. */
export function readDescriptorFlags(pid: number | 'self', descriptor: number | string): number | undefined {
  const text = tryReadText(`/proc/${pid}/fdinfo/${descriptor}`) ?? '';
  const flags = /^flags:\s*([0-7]+)$/m.exec(text)?.[1];
  return flags === undefined ? undefined : Number.parseInt(flags, 8);
}

/** Only process directories begin with a digit. */
function isPid(name: string): boolean {
  const code = name.charCodeAt(0);
  return code >= 0x31 && code <= 0x39;
}
