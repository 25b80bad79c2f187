/**
 * Reads the details of a process that rules and the list of protected processes depend on, besides its resource
 * usage. Reading them is expensive (some tenths of a millisecond), so it is done only for processes that use a
 * relevant share of the machine. Details that cannot be read are left out.
 */
import { readFileSync, statSync } from 'node:fs';
import type { ProcessFacts } from '../core/processes/process-facts.js';
import { tryReadProcFile } from './proc-file.js';

/** At most this many words of a command line are read. */
const WORDS_MAX = 4;

/** Reads the details of a process below a /proc directory; never throws. */
export function readProcessDetails(procDir: string, pid: number): Pick<ProcessFacts, 'user' | 'cgroups' | 'command'> {
  const directory = `${procDir}/${pid}`;
  return {
    user: readUser(directory),
    cgroups: readCgroups(directory),
    command: tryReadProcFile(`${directory}/cmdline`)?.replace(/\0$/, '').split('\0').slice(0, WORDS_MAX),
  };
}

function readUser(directory: string): string | undefined {
  try {
    return nameUser(statSync(directory).uid);
  } catch {
    return undefined;
  }
}

let names: ReadonlyMap<number, string> = new Map();

/** New users are rare: the file is read again only for a uid that is not cached yet. */
function nameUser(uid: number): string {
  if (!names.has(uid)) names = readNames(uid);
  return names.get(uid) ?? String(uid);
}

function readNames(uid: number): ReadonlyMap<number, string> {
  const found = new Map<number, string>([[uid, String(uid)]]);
  try {
    for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
      const [name = '', , number = ''] = line.split(':');
      if (name !== '' && number !== '') found.set(Number(number), name);
    }
  } catch {
    // Without the file, uids serve as names.
  }
  return found;
}

function readCgroups(directory: string): readonly string[] | undefined {
  const text = tryReadProcFile(`${directory}/cgroup`);
  if (text === undefined) return undefined;
  const paths = text.split('\n').map((line) => /^\d+:[^:]*:(\/.*)$/.exec(line)?.[1] ?? '');
  return [...new Set(paths)].filter((path) => path !== '');
}
