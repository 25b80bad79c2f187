/**
 * Finds the TCP ports a process listens on: listening sockets of its network namespace that are among its open files.
 */
import { tryListNames, tryReadLink, tryReadHead } from './try-read.js';

/** Listening sockets come first in the table; connections, of which there may be a great many, come after them. */
const TABLE_BYTES_MAX = 1024 * 1024;

/** `sl local:port remote:port 0A tx:rx tr:when retransmits uid timeout inode`; state 0A means listening. */
const LISTENING = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A \S+ \S+ \S+ +\d+ +\d+ (\d+) /gm;

/**
 * The ports of the process whose /proc directory is `directory`, without duplicates; whatever is unreadable is left
 * out.
 */
export function listListeningPorts(directory: string): readonly number[] {
  const listening = new Map<string, number>();
  for (const table of ['tcp', 'tcp6']) {
    for (const [, port = '', inode = ''] of (tryReadHead(`${directory}/net/${table}`, TABLE_BYTES_MAX) ?? '').matchAll(
      LISTENING,
    )) {
      listening.set(`socket:[${inode}]`, Number.parseInt(port, 16));
    }
  }
  if (listening.size === 0) return [];
  const files = tryListNames(`${directory}/fd`).map((name) => tryReadLink(`${directory}/fd/${name}`) ?? '');
  return [...new Set(files.map((file) => listening.get(file)).filter((port) => port !== undefined))];
}
