import { userInfo } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { readProcessDetails } from '../../src/sense/heavy-facts.js';
import { createLinuxProcesses } from '../../src/sense/linux-processes.js';
import { readKernelUnits, scanProcesses } from '../../src/sense/process-scan.js';
import { createFileTree, procMachine, procStat } from './file-tree.js';

const units = { ticksPerS: 100, pageBytes: 4096 };

describe('scanProcesses', () => {
  it('processes are read whatever their names hold, and what is no process is left out', () => {
    const { directory } = createFileTree({
      '7/stat': procStat({ pid: 7, ppid: 1, name: 'a) R 1 (b', own: 30, children: 4, start: 900, pages: 3 }),
      '8/stat': procStat({ pid: 8, ppid: 7, name: 'two\nlines ü', session: 8, terminal: 34_816, flags: 0xffff_ffff }),
      '9/status': 'no stat: it ended just now',
      '10/stat': 'garbage',
      '11/stat': '11 (short) S 1',
      'self/stat': procStat({ pid: 7, ppid: 1 }),
      uptime: '1 1\n',
    });
    const found = scanProcesses(directory, units);
    expect([...found.keys()].toSorted((a, b) => a - b)).toEqual([7, 8]);
    expect(found.get(7)).toEqual({
      pid: 7,
      ppid: 1,
      name: 'a) R 1 (b',
      ownTicks: 30,
      childTicks: 4,
      startTicks: 900,
      residentBytes: 3 * 4096,
      session: 1,
      terminal: false,
      kernelThread: false,
    });
    expect(found.get(8)).toMatchObject({ session: 8, terminal: true, kernelThread: true });
    expect(found.get(8)?.name).toBe('two\nlines ü');
  });

  it.skipIf(process.platform !== 'linux')('this process is found below the real /proc', () => {
    const found = scanProcesses('/proc', readKernelUnits('/proc', 8)).get(process.pid);
    expect(found).toMatchObject({ pid: process.pid, ppid: process.ppid });
    expect(found?.ownTicks).toBeGreaterThan(0);
    const rss = process.memoryUsage.rss();
    expect(found?.residentBytes).toBeGreaterThan(rss / 3);
    expect(found?.residentBytes).toBeLessThan(rss * 3);
  });
});

function words(bytes: 4 | 8, pairs: readonly (readonly [number, number])[]): Buffer {
  const buffer = Buffer.alloc(pairs.length * 2 * bytes);
  for (const [index, [key, value]] of pairs.entries()) {
    buffer.writeUInt32LE(key, index * 2 * bytes);
    buffer.writeUInt32LE(value, (index * 2 + 1) * bytes);
  }
  return buffer;
}

describe('readKernelUnits', () => {
  const pairs = [
    [16, 5],
    [6, 16_384],
    [17, 250],
    [0, 0],
  ] as const;

  it.each<[4 | 8]>([[4], [8]])('pages and ticks are read from words of %s bytes', (bytes) => {
    const { directory } = createFileTree({ 'self/auxv': words(bytes, pairs) });
    expect(readKernelUnits(directory, bytes)).toEqual({ pageBytes: 16_384, ticksPerS: 250 });
  });

  it('without the file they are the usual ones', () => {
    expect(readKernelUnits(createFileTree({}).directory, 8)).toEqual({ pageBytes: 4096, ticksPerS: 100 });
  });
});

/** What a made-up process has beside its use; its files tell nothing more. */
const FACTS = {
  session: 1,
  terminal: false,
  kernelThread: false,
  user: userInfo().username,
  cgroups: undefined,
  command: undefined,
  ports: [],
};

describe('createLinuxProcesses', () => {
  it('the first look is empty, the second has shares of one core', async () => {
    const tree = createFileTree({
      ...procMachine(),
      '7/stat': procStat({ pid: 7, ppid: 1, own: 1000, start: 40_000, pages: 25_000 }),
      '8/stat': procStat({ pid: 8, ppid: 7, own: 500, start: 50_000 }),
      '9/stat': procStat({ pid: 9, ppid: 2, name: 'idle kernel thread', pages: 0 }),
      'self/stat': procStat({ pid: 99, ppid: 1, start: 99_500 }),
    });
    const look = createLinuxProcesses(tree.directory, units);
    expect(await firstValueFrom(look(5_000))).toEqual([]);
    tree.write({
      '7/stat': procStat({ pid: 7, ppid: 1, own: 2000, start: 40_000, pages: 25_000 }),
      '8/stat': procStat({ pid: 8, ppid: 7, own: 100, start: 99_800, name: 'another with pid 8' }),
    });
    const listed = await firstValueFrom(look(10_000));
    expect(listed.toSorted((a, b) => a.pid - b.pid)).toEqual([
      { pid: 7, ppid: 1, name: 'program', cpuPercent: 200, memoryPercent: 10, ageS: 600, start: '40000', ...FACTS },
      {
        pid: 8,
        ppid: 7,
        name: 'another with pid 8',
        cpuPercent: 20,
        memoryPercent: 0.0004,
        ageS: 2,
        start: '99800',
        ...FACTS,
      },
    ]);
  });

  it.each(['', 'garbage', '1e99 1', '86400000.00 5\n', '3.00 5\n'])(
    'ages are numbers, and right, when uptime says %j',
    async (uptime) => {
      const tree = createFileTree({
        ...procMachine(),
        uptime,
        '7/stat': procStat({ pid: 7, ppid: 1, start: 40_000, pages: 1 }),
        'self/stat': procStat({ pid: 99, ppid: 1, start: 99_500 }),
      });
      const look = createLinuxProcesses(tree.directory, units);
      await firstValueFrom(look(5_000));
      expect(await firstValueFrom(look(10_000))).toMatchObject([{ pid: 7, ageS: 600 }]);
      expect(await firstValueFrom(look(70_000))).toMatchObject([{ pid: 7, ageS: 660 }]);
    },
  );

  it('a directory that cannot be read is an error with a sentence', async () => {
    const missing = join(createFileTree({}).directory, 'missing');
    await expect(firstValueFrom(createLinuxProcesses(missing, units)(0))).rejects.toThrow(/ENOENT.*missing/);
  });
});

describe('readHeavyFacts', () => {
  it('tells cgroups, and the first words of the command', () => {
    const tree = createFileTree({
      '7/cgroup': '9:name=systemd:/user.slice\n1:cpu:/\n0::/user.slice\n',
      '7/cmdline': 'mosquitto\0-c\0a.conf\0-v\0-x\0',
    });
    expect(readProcessDetails(tree.directory, 7)).toEqual({
      user: userInfo().username,
      cgroups: ['/user.slice', '/'],
      command: ['mosquitto', '-c', 'a.conf', '-v'],
    });
  });
});
