/**
 * What people's rules and the never-list ask of a process beside its use of the machine. Dear to read (some tenths of a
 * millisecond), so that only processes that use something are asked. What cannot be read is left out.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { ProcessFacts } from '../core/process-facts.js';
import { tryReadProcFile } from './proc-file.js';

/** Words of a command line that are read. */
const WORDS_MAX = 4;

/** Reads them below a /proc directory. */
export function readHeavyFacts(
  procDir: string,
  pid: number,
): Pick<ProcessFacts, 'user' | 'cgroups' | 'command' | 'ports'> {
  const directory = `${procDir}/${pid}`;
  return {
    user: readUser(directory),
    cgroups: readCgroups(directory),
    command: tryReadProcFile(`${directory}/cmdline`)?.replace(/\0$/, '').split('\0').slice(0, WORDS_MAX),
    ports: readPorts(directory),
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

/** Its listening sockets are in the table of its network namespace, and among its own files. */
function readPorts(directory: string): readonly number[] {
  const listening = new Map<string, number>();
  for (const table of ['tcp', 'tcp6']) {
    for (const [, port = '', inode = ''] of (tryReadProcFile(`${directory}/net/${table}`) ?? '').matchAll(LISTENING)) {
      listening.set(`socket:[${inode}]`, Number.parseInt(port, 16));
    }
  }
  if (listening.size === 0) return [];
  const ports = listFiles(`${directory}/fd`).map((file) => listening.get(readLink(file)));
  return [...new Set(ports.filter((port) => port !== undefined))];
}

/** `sl local:port remote:port 0A tx:rx tr:when retransmits uid timeout inode`: 0A is listening. */
const LISTENING = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A \S+ \S+ \S+ +\d+ +\d+ (\d+) /gm;

function listFiles(directory: string): readonly string[] {
  try {
    return readdirSync(directory).map((name) => `${directory}/${name}`);
  } catch {
    return [];
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
