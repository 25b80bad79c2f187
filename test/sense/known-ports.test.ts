import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPortReader } from '../../src/sense/known-ports.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();

/** A process that listens on a port, which can be changed. */
function createListener(): { readonly procDir: string; listen(port: number): void } {
  const procDir = makeDirectory();
  for (const name of ['7/fd', '7/net']) mkdirSync(join(procDir, name), { recursive: true });
  symlinkSync('socket:[4711]', join(procDir, '7/fd/3'));
  const listen = (port: number): void => {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const row = `   0: 0100007F:${hex} 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0\n`;
    writeFileSync(join(procDir, '7/net/tcp'), row);
  };
  listen(1883);
  return { procDir, listen };
}

describe('the ports of a process', () => {
  it('are read again when it is twice as old', () => {
    const { procDir, listen } = createListener();
    const read = createPortReader(procDir);
    expect(read({ pid: 7, start: '100', ageS: 5 }, 1_000_000)).toEqual([1883]);
    listen(8080);
    expect(read({ pid: 7, start: '100', ageS: 9 }, 1_004_999)).toEqual([1883]);
    expect(read({ pid: 7, start: '100', ageS: 10 }, 1_005_000)).toEqual([8080]);
  });

  it('are read again after a minute however old it is', () => {
    const { procDir, listen } = createListener();
    const read = createPortReader(procDir);
    expect(read({ pid: 7, start: '100', ageS: 86_400 }, 0)).toEqual([1883]);
    listen(8080);
    expect(read({ pid: 7, start: '100', ageS: 86_459 }, 59_999)).toEqual([1883]);
    expect(read({ pid: 7, start: '100', ageS: 86_460 }, 60_000)).toEqual([8080]);
  });

  it('are read each time while it has just started', () => {
    const { procDir, listen } = createListener();
    const read = createPortReader(procDir);
    read({ pid: 7, start: '100', ageS: 0 }, 0);
    listen(8080);
    expect(read({ pid: 7, start: '100', ageS: 0 }, 0)).toEqual([8080]);
  });

  it('are not those of an earlier process with its pid', () => {
    const { procDir, listen } = createListener();
    const read = createPortReader(procDir);
    read({ pid: 7, start: '100', ageS: 600 }, 0);
    listen(8080);
    expect(read({ pid: 7, start: '900', ageS: 1 }, 1000)).toEqual([8080]);
  });
});
