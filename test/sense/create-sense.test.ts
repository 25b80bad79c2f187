/** The senses as a whole: on a /proc of files in virtual time, and on this machine with processes that really burn. */
import { spawn, type ChildProcess } from 'node:child_process';
import { asyncScheduler, filter, firstValueFrom, tap, timer, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../../src/clock/clock.js';
import { createSense, type SenseOptions } from '../../src/sense/create-sense.js';
import type { LoadSample, ProcessSample, SenseFault } from '../../src/sense/sense.js';
import { createFileTree, procMachine, procStat, type FileTree } from './file-tree.js';

interface Said<T> {
  readonly at: number;
  readonly value: T;
}

/** Lets the senses look at a tree for a while of virtual time; `change` makes what is there at each 100 ms, a little before. */
function senseTree(
  options: Omit<SenseOptions, 'clock' | 'system' | 'procDir' | 'rootDir'>,
  files: Readonly<Record<string, string>>,
  untilMs: number,
  change: (tree: FileTree, now: number) => void = () => undefined,
): {
  readonly loads: readonly Said<LoadSample | SenseFault>[];
  readonly lists: readonly Said<readonly ProcessSample[] | SenseFault>[];
} {
  const tree = createFileTree(files);
  const scheduler = new VirtualTimeScheduler(undefined, untilMs);
  const clock: Clock = { now: () => scheduler.now(), wall: () => scheduler.now(), scheduler };
  const sense = createSense({ cpus: 2, ...options, clock, system: 'linux', procDir: tree.directory });
  const loads: Said<LoadSample | SenseFault>[] = [];
  const lists: Said<readonly ProcessSample[] | SenseFault>[] = [];
  change(tree, 0);
  const ends = [
    timer(50, 100, scheduler).subscribe((count) => change(tree, (count + 1) * 100)),
    sense.load$.subscribe((value) => loads.push({ at: scheduler.now(), value })),
    sense.processes$.subscribe((value) => lists.push({ at: scheduler.now(), value })),
  ];
  scheduler.flush();
  for (const end of ends) end.unsubscribe();
  return { loads, lists };
}

const fixed = { metric: { kind: 'fixed', ratio: 0.7 } } as const;

describe('createSense on a /proc of files', () => {
  it('the first sample comes at the second look, then one every 2 s, with all that the machine tells', () => {
    const { loads } = senseTree(fixed, {}, 5_000, (tree, now) =>
      tree.write(procMachine({ busy: now / 10, idle: (3 * now) / 10 })),
    );
    expect(loads.map(({ at }) => at)).toEqual([500, 2_500, 4_500]);
    expect(loads[0]?.value).toEqual({
      ratio: 0.7,
      cpus: 2,
      cpuPercent: 25,
      memoryPercent: 25,
      memoryBytes: 1_024_000_000,
      psiPercent: 2.17,
    });
  });

  it('a kernel without PSI says none', () => {
    const { loads } = senseTree(fixed, {}, 1_000, (tree, now) =>
      tree.write({ ...procMachine({ busy: now }), 'pressure/cpu': undefined }),
    );
    expect(loads[0]?.value).not.toHaveProperty('psiPercent');
  });

  it('loadavg1 is the average of the last minute per cpu', () => {
    const { loads } = senseTree({ metric: { kind: 'loadavg1' } }, {}, 1_000, (tree, now) =>
      tree.write(procMachine({ busy: now, load1: '1.70' })),
    );
    expect(loads[0]?.value).toMatchObject({ ratio: 0.85 });
  });

  it('ewma counts running and blocked tasks and leaves the agent out', () => {
    const { loads } = senseTree({ metric: { kind: 'ewma' } }, {}, 200_000, (tree, now) =>
      tree.write(procMachine({ busy: now, running: 2, blocked: 1 })),
    );
    expect(loads.at(-1)?.value).toMatchObject({ ratio: expect.closeTo(1, 2) });
  });

  it('tree:PID is what a process and its descendants used, and lists only them', () => {
    const { loads, lists } = senseTree(
      { metric: { kind: 'tree', pid: 10 }, processesMs: 1_000 },
      {},
      3_000,
      (tree, now) =>
        tree.write({
          ...procMachine({ busy: now }),
          '10/stat': procStat({ pid: 10, ppid: 1, start: 1 }),
          '11/stat': procStat({ pid: 11, ppid: 10, own: now / 10, start: 2 }),
          '12/stat': procStat({ pid: 12, ppid: 1, own: now, start: 3 }),
        }),
    );
    expect(loads.map(({ value }) => value)).toEqual([
      expect.objectContaining({ ratio: 0.5, cpus: 2 }),
      expect.objectContaining({ ratio: 0.5, cpus: 2 }),
    ]);
    expect(lists.map(({ at, value }) => [at, Array.isArray(value) && value.map(({ pid }) => pid as unknown)])).toEqual([
      [0, []],
      [500, [10, 11]],
      [1_500, [10, 11]],
      [2_500, [10, 11]],
    ]);
  });

  it('tree:jobs leaves out what the root itself used, and counts what its ended children did', () => {
    const metric = { kind: 'tree', pid: 10, withoutRoot: true } as const;
    const { loads } = senseTree({ metric }, {}, 3_000, (tree, now) =>
      tree.write({
        ...procMachine({ busy: now }),
        '10/stat': procStat({ pid: 10, ppid: 1, own: now, children: now / 20, start: 1 }),
        '11/stat': procStat({ pid: 11, ppid: 10, own: now / 20, start: 2 }),
      }),
    );
    expect(loads.map(({ value }) => value)).toEqual([
      expect.objectContaining({ ratio: 0.5, cpus: 2 }),
      expect.objectContaining({ ratio: 0.5, cpus: 2 }),
    ]);
  });

  it('a tree that is gone is a fault, and a sample comes when it is back', () => {
    const { loads } = senseTree({ metric: { kind: 'tree', pid: 10 } }, {}, 6_900, (tree, now) => {
      const isThere = now < 1_000 || now > 3_000;
      tree.write({
        ...procMachine({ busy: now }),
        '10/stat': isThere ? procStat({ pid: 10, ppid: 1 }) : undefined,
      });
    });
    expect(loads.map(({ at, value }) => [at, 'fault' in value ? value.fault : value.ratio])).toEqual([
      [500, 0],
      [2_500, 'tree:10: process 10 is not there'],
      [4_500, 0],
      [6_500, 0],
    ]);
  });

  it('files that cannot be read are faults, never made up, and never the end', () => {
    const { loads, lists } = senseTree(fixed, {}, 3_000, (tree, now) => {
      if (now === 1_000) tree.write({ ...procMachine({ busy: 5 }), '7/stat': procStat({ pid: 7, ppid: 1 }) });
      if (now === 2_000) tree.write({ stat: 'cpu 1 2\n', uptime: 'soon\n' });
    });
    expect(loads.map(({ value }) => value)).toEqual([
      { fault: expect.stringMatching(/^cannot read .*stat: ENOENT/) },
      { fault: expect.stringMatching(/^cannot read .*stat: ENOENT/) },
      { fault: '/proc/stat has no cpu line that can be read' },
    ]);
    expect(lists.map(({ value }) => value)).toEqual([[], { fault: expect.stringMatching(/^cannot read .*meminfo/) }]);
  });

  it('each unreadable file has its sentence', () => {
    const broken: readonly (readonly [Record<string, string>, RegExp])[] = [
      [{ meminfo: 'MemTotal: 0 kB\n' }, /meminfo does not tell/],
      [{ loadavg: 'high\n' }, /loadavg does not begin with a number/],
      [{ stat: 'cpu  1 2 3 4 5\n' }, /does not count running and blocked/],
    ];
    for (const [files, sentence] of broken) {
      const { loads } = senseTree(fixed, { ...procMachine(), ...files }, 100);
      expect(loads[0]?.value).toEqual({ fault: expect.stringMatching(sentence) });
    }
  });
});

const realClock: Clock = { now: () => performance.now(), wall: () => Date.now(), scheduler: asyncScheduler };

function startProgram(program: string, args: readonly string[]): ChildProcess & { readonly pid: number } {
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${program}`);
  onTestFinished(() => {
    // Its whole group: it started others.
    process.kill(-pid, 'SIGKILL');
  });
  return Object.assign(child, { pid });
}

function startBurner(): ChildProcess & { readonly pid: number } {
  return startProgram(process.execPath, ['-e', 'for (;;);']);
}

function isSample(value: LoadSample | SenseFault): value is LoadSample {
  if ('fault' in value) throw new Error(value.fault);
  return true;
}

describe.skipIf(process.platform !== 'linux')('createSense on this machine', () => {
  it('a burner shows as about one core of its tree and of the process list', async () => {
    const { pid } = startBurner();
    const sense = createSense({
      metric: { kind: 'tree', pid },
      clock: realClock,
      cpus: 1,
      loadMs: 1_000,
      processesMs: 1_000,
    });
    const sample = await firstValueFrom(
      sense.load$.pipe(
        filter(isSample),
        tap(({ ratio }) => expect(ratio).toBeLessThan(1.2)),
        filter(({ ratio }) => ratio > 0.4),
      ),
    );
    expect(sample).toMatchObject({ cpus: 1 });
    expect(sample.cpuPercent).toBeGreaterThan(0);
    expect(sample.memoryPercent).toBeGreaterThan(0);
    const burning = await firstValueFrom(
      sense.processes$.pipe(filter((list) => Array.isArray(list) && list.some(({ cpuPercent }) => cpuPercent > 40))),
    );
    expect(burning).toMatchObject([
      {
        pid,
        ppid: process.pid,
        session: pid,
        kernelThread: false,
        terminal: false,
        ports: [],
        name: expect.any(String),
      },
    ]);
    expect(burning).toHaveLength(1);
    const [burner] = burning as readonly ProcessSample[];
    expect(burner?.cpuPercent).toBeLessThan(120);
    expect(burner?.memoryPercent).toBeGreaterThan(0);
    expect(burner?.ageS).toBeLessThan(60);
  });

  it('children that come and end between two looks count for their tree', async () => {
    const loop = 'while :; do (i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done); done';
    const { pid } = startProgram('/bin/sh', ['-c', loop]);
    const sense = createSense({ metric: { kind: 'tree', pid }, clock: realClock, cpus: 2, loadMs: 1_000 });
    const sample = await firstValueFrom(
      sense.load$.pipe(
        filter(isSample),
        tap(({ ratio }) => expect(ratio).toBeLessThan(0.7)),
        filter(({ ratio }) => ratio > 0.15),
      ),
    );
    expect(sample.cpus).toBe(2);
  });

  it('a burner raises ewma above what it was', async () => {
    const sense = createSense({ metric: { kind: 'ewma' }, clock: realClock, cpus: 1, loadMs: 200 });
    startBurner();
    let first: number | undefined;
    await firstValueFrom(
      sense.load$.pipe(
        filter(isSample),
        tap(({ ratio }) => (first ??= ratio)),
        filter(({ ratio }) => ratio > (first ?? Infinity) || ratio > 0.8),
      ),
    );
  });

  it.each([{ kind: 'ewma' }, { kind: 'loadavg1' }, { kind: 'cgroup' }] as const)('$kind reads here', async (metric) => {
    const sense = createSense({ metric, clock: realClock, loadMs: 200 });
    const sample = await firstValueFrom(sense.load$.pipe(filter(isSample)));
    expect(sample.ratio).toBeGreaterThanOrEqual(0);
    expect(sample.cpus).toBeGreaterThan(0);
    expect(sample.cpuPercent).toBeGreaterThanOrEqual(0);
    expect(sample.cpuPercent).toBeLessThanOrEqual(100);
  });
});

describe('createSense through systeminformation', () => {
  it('a burner shows as about one core of its tree, and the list is of that tree', async () => {
    const { pid } = startBurner();
    const options = { clock: realClock, cpus: 2, system: 'other', loadMs: 1_000, processesMs: 1_000 } as const;
    const sense = createSense({ ...options, metric: { kind: 'tree', pid } });
    const sample = await firstValueFrom(
      sense.load$.pipe(
        filter(isSample),
        tap(({ ratio }) => expect(ratio).toBeLessThan(0.7)),
        filter(({ ratio }) => ratio > 0.2),
      ),
    );
    expect(sample.memoryBytes).toBeGreaterThan(1e8);
    const listed = await firstValueFrom(
      sense.processes$.pipe(filter((list) => Array.isArray(list) && list.length > 0)),
    );
    expect(listed).toMatchObject([{ pid, ppid: process.pid }]);
    expect((listed as readonly ProcessSample[])[0]?.ageS).toBeLessThan(120);
  });

  it('the load average is read without /proc', async () => {
    const sense = createSense({ metric: { kind: 'ewma' }, clock: realClock, system: 'other', loadMs: 300 });
    const sample = await firstValueFrom(sense.load$.pipe(filter(isSample)));
    expect(sample.ratio).toBeGreaterThanOrEqual(0);
    expect(sample.memoryPercent).toBeGreaterThan(0);
    expect(sample.memoryPercent).toBeLessThanOrEqual(100);
  });
});
