/** Which TCP ports a process listens on: sockets in the table of its network namespace that are among its files. */
import { tryListNames, tryReadLink, tryReadText } from './try-read.js';

/** `sl local:port remote:port 0A tx:rx tr:when retransmits uid timeout inode`: 0A is listening. */
const LISTENING = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A \S+ \S+ \S+ +\d+ +\d+ (\d+) /gm;

/** Ports, each once, of the process whose directory below /proc this is; what cannot be read is left out. */
export function listListeningPorts(directory: string): readonly number[] {
  const listening = new Map<string, number>();
  for (const table of ['tcp', 'tcp6']) {
    for (const [, port = '', inode = ''] of (tryReadText(`${directory}/net/${table}`) ?? '').matchAll(LISTENING)) {
      listening.set(`socket:[${inode}]`, Number.parseInt(port, 16));
    }
  }
  if (listening.size === 0) return [];
  const files = tryListNames(`${directory}/fd`).map((name) => tryReadLink(`${directory}/fd/${name}`) ?? '');
  return [...new Set(files.map((file) => listening.get(file)).filter((port) => port !== undefined))];
}
