/** The ports that a process listens on, and no port of another one. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listListeningPorts } from '../../src/os/listening-ports.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();

function row(port: string, state: string, inode: number): string {
  return `   0: 0100007F:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0 100 0\n`;
}

it('are those of its own sockets that listen, each once', () => {
  const directory = makeDirectory();
  for (const name of ['fd', 'net']) mkdirSync(join(directory, name));
  const rows = [row('075B', '0A', 4711), row('0050', '0A', 4712), row('0016', '01', 4713)];
  writeFileSync(join(directory, 'net/tcp'), `  sl  local_address\n${rows.join('')}`);
  writeFileSync(join(directory, 'net/tcp6'), row('075B', '0A', 4714).replace('0100007F', '0'.repeat(32)));
  const links = ['/dev/null', 'socket:[4711]', 'socket:[4713]', 'socket:[4714]'];
  for (const [fd, link] of links.entries()) symlinkSync(link, join(directory, 'fd', String(fd)));
  expect(listListeningPorts(directory)).toEqual([1883]);
});

it('are none where nothing can be read', () => {
  expect(listListeningPorts(join(makeDirectory(), 'none'))).toEqual([]);
});

it.skipIf(process.platform !== 'linux')('are found of a real server', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(listListeningPorts('/proc/self')).toContain(port);
  server.close();
  await once(server, 'close');
  expect(listListeningPorts('/proc/self')).not.toContain(port);
});
