/**
 * Programs that count while they move between two hosts, with real criu: jobs that tritmesh started, and external
 * processes. Files are copied by cp instead of the transfer.
 */
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StartRequest } from '../../src/run/runner.js';
import { findCountFault, makeCounters } from '../support/counters.js';
import { canFreeze } from '../support/criu.js';
import { startRunnerHost, type RunnerHost } from '../support/runner-host.js';
import { canMakeHosts, openTwoHosts, PLACE, type Host, type TwoHosts } from '../support/two-hosts.js';

const { counters, directory: programs } = makeCounters();
afterAll(() => rmSync(programs, { recursive: true, force: true }));

const SUPERVISORS = join(PLACE, 'supervisors');

/** The files of a frozen run that are transferred. */
const TRAVELS = ['work', 'stdout', 'stderr', 'image', 'carried'];

describe.skipIf(!canFreeze || !canMakeHosts).each(counters)('a counter in $name', ({ argv }) => {
  let two: TwoHosts;
  let runners: readonly [RunnerHost, RunnerHost];
  beforeEach(async () => {
    two = await openTwoHosts();
    const [one, other] = two.hosts;
    runners = [await startRunnerHost(SUPERVISORS, one.within), await startRunnerHost(SUPERVISORS, other.within)];
  });
  afterEach(async () => {
    for (const runner of runners) await runner.kill();
    await two.end();
  });

  /** The host of a hop: even ones are on the first host. */
  const at = (hop: number): { readonly runner: RunnerHost; readonly host: Host } => ({
    runner: runners[hop % 2 === 0 ? 0 : 1],
    host: two.hosts[hop % 2 === 0 ? 0 : 1],
  });
  const directory = (hop: number): string => join(PLACE, 'guests', String(hop));
  const order = (hop: number, command: readonly string[]): StartRequest => ({
    run: `run/${hop}`,
    directory: directory(hop),
    command: { argv: command, env: {}, outputs: [], migrate: 'checkpoint' },
    environment: {},
    guardMs: 120_000,
  });

  /** Moves a run to the next hop. */
  async function move(hop: number, command: readonly string[]): Promise<void> {
    const [from, to] = [at(hop), at(hop + 1)];
    from.runner.ask('freeze', `run/${hop}`);
    await from.runner.answer(`run/${hop}`, 'RunFrozen');
    const source = from.host.path(directory(hop));
    for (const name of TRAVELS.filter((one) => existsSync(join(source, one))))
      cpSync(join(source, name), join(to.host.path(directory(hop + 1)), name), { recursive: true });
    to.runner.ask('start', { ...order(hop + 1, command), restore: true });
    await to.runner.answer(`run/${hop + 1}`, 'RunPrepared');
    to.runner.ask('thaw', `run/${hop + 1}`);
    await to.runner.answer(`run/${hop + 1}`, 'RunThawed');
    from.runner.ask('stop', `run/${hop}`, 0);
    expect(await from.runner.end(`run/${hop}`)).toMatchObject({ type: 'RunDied', reason: 'stopped' });
  }

  it('that tritmesh started moves back and forth and misses nothing', async () => {
    const command = argv(400, 7, 10_000);
    at(0).runner.ask('start', order(0, command));
    await at(0).runner.answer('run/0', 'RunStarted');
    await at(0).runner.answer('run/0', 'RunOutput');
    for (let hop = 0; hop < 4; hop += 1) await move(hop, command);
    expect(await at(4).runner.end('run/4')).toMatchObject({ type: 'RunExited', exitCode: 7, signal: null });
    const text = readFileSync(at(4).host.path(join(directory(4), 'stdout')), 'utf8');
    expect(findCountFault(text, 400)).toBeUndefined();
  });

  it('that tritmesh did not start moves back and forth, and its exit code is known', async () => {
    const command = argv(400, 9, 10_000);
    const [one, other] = two.hosts;
    const output = join(PLACE, 'counted');
    const [program = '', ...args] = command;
    const pid = await one.start(program, args, output);
    const start = one.run('cat', `/proc/${pid}/stat`).split(') ')[1]?.split(' ')[19] ?? '';
    at(0).runner.ask('take', 'run/0', directory(0), { pid, start });
    await at(0).runner.answer('run/0', 'RunStarted');
    await expect.poll(() => readFileSync(one.path(output), 'utf8'), { timeout: 20_000 }).toContain('\n9 ');
    for (let hop = 0; hop < 4; hop += 1) await move(hop, command);
    expect(await at(4).runner.end('run/4')).toMatchObject({ type: 'RunExited', exitCode: 9, signal: null });
    const text = readFileSync(one.path(join(directory(4), 'held', output)), 'utf8');
    expect(findCountFault(text, 400)).toBeUndefined();
    expect(existsSync(other.path(output)), 'what was made for the mount').toBe(false);
  });
});
