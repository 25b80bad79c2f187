/**
 * What people's rules and the never-list ask of a process beside its use of the machine. Dear to read (some tenths of a
 * millisecond), so that only processes that use something are asked. What cannot be read is left out.
 */
import { readFileSync, statSync } from 'node:fs';
import type { ProcessFacts } from '../core/processes/process-facts.js';
import { listListeningPorts } from '../os/listening-ports.js';
import { tryReadProcFile } from './proc-file.js';

/** Words of a command line that are read. */
const WORDS_MAX = 4;

/** Reads them below a /proc directory. */
export function readProcessDetails(
  procDir: string,
  pid: number,
): Pick<ProcessFacts, 'user' | 'cgroups' | 'command' | 'ports'> {
  const directory = `${procDir}/${pid}`;
  return {
    user: readUser(directory),
    cgroups: readCgroups(directory),
    command: tryReadProcFile(`${directory}/cmdline`)?.replace(/\0$/, '').split('\0').slice(0, WORDS_MAX),
    ports: listListeningPorts(directory),
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

/** Users come seldom: the file is read again only for a number that it did not have. */
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
    // Numbers then stand for themselves.
  }
  return found;
}

function readCgroups(directory: string): readonly string[] | undefined {
  const text = tryReadProcFile(`${directory}/cgroup`);
  if (text === undefined) return undefined;
  const paths = text.split('\n').map((line) => /^\d+:[^:]*:(\/.*)$/.exec(line)?.[1] ?? '');
  return [...new Set(paths)].filter((path) => path !== '');
}
