/** What a run finds at its start, and what is reported of its end. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readProcStat } from '../../src/os/proc-stat.js';
import { isAlive } from '../../src/run/processes/process-table.js';
import { isThere, until, type SupervisorSuite } from '../support/supervised.js';

const ODD = ['', ' ', 'two\nlines\n', '\u0001\u001B[1m\u007F', 'é–😀', '\'"\\$(id)`id`', '-n', '*', '%s'];

/** Tests how runs start and end. */
export function testStarts(suite: SupervisorSuite): void {
  describe('a run', () => {
    testEnds(suite);
    testCommand(suite);
    testSurroundings(suite);
    testRest(suite);
  });
}

function testEnds({ open }: SupervisorSuite): void {
  it('is reported with its exit code, and its output is in its files', async () => {
    const { start } = await open();
    const job = start('echo out; echo err >&2; exit 7');
    expect(await job.ended()).toMatchObject({ code: 7, signal: 0 });
    expect([job.read('stdout'), job.read('stderr')]).toEqual(['out\n', 'err\n']);
  });

  it('is reported with the signal that ended it', async () => {
    const { start } = await open();
    expect(await start('kill -TERM $$').ended()).toMatchObject({ code: 143, signal: 15 });
    expect(await start('kill -KILL $$').ended()).toMatchObject({ code: 137, signal: 9 });
  });

  it('is reported with its processor time and that of children it waited for', async () => {
    const { start } = await open();
    const job = start("sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; times");
    const { cpuMs } = await job.ended();
    const told = [...job.read('stdout').matchAll(/(\d+)m([\d.]+)s/g)].map(
      ([, m, s]) => Number(m) * 60_000 + Number(s) * 1000,
    );
    const sum = told.reduce((all, one) => all + one, 0);
    expect(sum).toBeGreaterThan(0);
    // Each of the times is rounded down to 10 ms.
    expect(cpuMs).toBeGreaterThan(sum - 50);
    expect(cpuMs).toBeLessThan(2 * sum + 500);
  });

  it('is reported as it is logged, but for its begin', async () => {
    const { start, log, reported } = await open();
    await start('exit 3').ended();
    await start({ argv: ['/nonexistent'] }).failed();
    await until(() => reported.length >= 4);
    const isReported = (line: (typeof reported)[number]): boolean => line.word !== 'begin';
    // That a leader runs is logged before its program is executed, and not reported when that fails.
    const failed = new Set(log().flatMap((line) => (line.word === 'fail' ? [line.id] : [])));
    const logged = log().filter((line) => isReported(line) && !(line.word === 'start' && failed.has(line.id)));
    expect(reported).toEqual(logged);
    expect(
      log()
        .map(({ word }) => word)
        .slice(0, 4),
    ).toEqual(['supervisor', 'begin', 'start', 'end']);
  });
}

function testCommand({ open }: SupervisorSuite): void {
  it('gets its arguments byte by byte', async () => {
    const { start } = await open();
    const job = start({ argv: ['sh', '-c', String.raw`printf '%s\0' "$@"`, 'sh', ...ODD] });
    await job.ended();
    expect(job.read('stdout').split('\0').slice(0, -1)).toEqual(ODD);
  });

  it('gets exactly the environment of the frame', async () => {
    const { start, handle } = await open();
    const variables = { EMPTY: '', LINES: 'a\nb\n', EQUAL: '=x=', ODD: ODD.join('|') };
    const job = start({ argv: ['env', '-0'], environment: variables });
    await job.ended();
    const mark = `${handle.pid}.${handle.start}.${job.id}`;
    const wanted = { ...variables, PATH: process.env['PATH'], TRITMESH_RUN_MARK: mark };
    const found = job.read('stdout').split('\0').slice(0, -1).toSorted();
    expect(found).toEqual(
      Object.entries(wanted)
        .map(([name, value]) => `${name}=${value}`)
        .toSorted(),
    );
  });

  it('reads a file, absolute or relative to its working directory, or nothing', async () => {
    const { start, place } = await open();
    const text = 'a\0b\nc'.repeat(50_000);
    writeFileSync(join(place, 'input'), text);
    const jobs = [join(place, 'input'), '../../input', ''].map((stdin) => start({ argv: ['cat'], stdin }));
    for (const job of jobs) await job.ended();
    expect(jobs.map((job) => job.read('stdout') === text)).toEqual([true, true, false]);
    expect(jobs[2]?.read('stdout')).toBe('');
  });

  it('is looked for in the PATH of its environment, relative to its working directory', async () => {
    const { start, place } = await open();
    const directory = join(place, 'own');
    mkdirSync(join(directory, 'work/bin'), { recursive: true });
    const write = (name: string, text: string): void =>
      writeFileSync(join(directory, 'work', name), text, { mode: 0o755 });
    write('bin/tool', '#!/bin/sh\necho found "$@"\n');
    write('bare', 'echo "bare $1"\n');
    chmodSync(join(directory, 'work/bare'), 0o755);
    const tool = start({ argv: ['tool', 'x'], directory, environment: { PATH: '/nonexistent:bin:/bin' } });
    expect([(await tool.ended()).code, tool.read('stdout')]).toEqual([0, 'found x\n']);
    const bare = start({ argv: ['./bare', 'y z'], directory });
    expect([(await bare.ended()).code, bare.read('stdout')]).toEqual([0, 'bare y z\n']);
  });
}

function testSurroundings({ open }: SupervisorSuite): void {
  it('leads a session and a group of its own', async () => {
    const { start } = await open();
    const job = start('echo ready; exec sleep 1000');
    await job.said('ready');
    const handle = await job.started();
    expect(readProcStat(handle.pid)).toMatchObject({ session: handle.pid, group: handle.pid });
    expect(isAlive(handle)).toBe(true);
    process.kill(handle.pid, 'SIGKILL');
    expect(await job.ended()).toMatchObject({ code: 137, signal: 9 });
  });

  it('has no descriptor but three, and all signals have their default', async () => {
    const { start } = await open();
    const job = start("ls /proc/self/fd; grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status");
    await job.ended();
    const [, fds = '', signals = ''] = /^([\d\n]*)(.*)$/s.exec(job.read('stdout')) ?? [];
    // The last one is the directory that `ls` reads.
    expect(fds).toBe('0\n1\n2\n3\n');
    expect(signals).not.toMatch(/Sig(?:Blk|Ign):\s*0*[1-9a-f]/);
  });

  it('has its stdout emptied and its stderr kept, with the usual mode', async () => {
    const { start, place } = await open();
    const directory = join(place, 'own');
    mkdirSync(join(directory, 'work'), { recursive: true });
    for (const name of ['stdout', 'stderr']) writeFileSync(join(directory, name), 'before\n');
    const job = start({ argv: ['sh', '-c', 'echo new; echo new >&2'], directory });
    await job.ended();
    expect([job.read('stdout'), job.read('stderr')]).toEqual(['new\n', 'before\nnew\n']);
    const fresh = start('exit 0');
    await fresh.ended();
    const modes = ['stdout', 'stderr'].map((name) => statSync(join(fresh.directory, name)).mode & 0o777);
    expect(modes).toEqual([0o666 & ~process.umask(), 0o666 & ~process.umask()]);
  });

  it('in a namespace begins in its directory with nothing to read or write', async () => {
    const { start } = await open();
    const script = 'a=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2); echo "$PWD $a" >told';
    const job = start(script, { mode: 'namespace' });
    await job.ended();
    const told = readFileSync(join(job.directory, 'told'), 'utf8');
    expect(told).toBe(`${job.directory} /dev/null\n/dev/null\n/dev/null\n`);
    expect(job.record()?.mode).toBe('namespace');
  });
}

function testRest({ open, tested }: SupervisorSuite): void {
  it('takes its process group with it, and leaves other sessions to the node', async () => {
    const { start, place } = await open();
    const wait = 'until [ -e ../../go ]; do sleep 0.02; done';
    const job = start(`sleep 1000 & echo $!; setsid sh -c 'echo $$ ready; exec sleep 1000' & ${wait}`);
    const [grouped = 0, apart = 0] = (await job.said('ready')).match(/\d+/g)?.map(Number) ?? [];
    writeFileSync(join(place, 'go'), '');
    await job.ended();
    await until(() => !isThere(grouped));
    expect(isThere(apart)).toBe(true);
    process.kill(apart, 'SIGKILL');
  });

  it('is one of two hundred, thirty at once', async () => {
    const { start, log } = await open();
    let next = 0;
    const found: string[] = [];
    const work = async (): Promise<void> => {
      while (next < 200) {
        const number = next++;
        const job = start({ argv: ['sh', '-c', `echo ${number}; exit ${number % 100}`] });
        const { code } = await job.ended();
        found[number] = `${code} ${job.read('stdout').trim()}`;
      }
    };
    await Promise.all(Array.from({ length: 30 }, work));
    expect(found).toEqual(Array.from({ length: 200 }, (_, number) => `${number % 100} ${number}`));
    expect(log().filter(({ word }) => word === 'end')).toHaveLength(200);
    expect(log()[0]).toMatchObject({ kind: tested.kind });
  });
}
