/** What holds a job whose reader is behind, and what lets it go on: real processes, time by hand. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WINDOW_BYTES } from '../../../src/core/disk/output-limit.js';
import { createOutputGuard, type OutputGuard } from '../../../src/run/output/output-guard.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();
const ALL = { bytes: Number.POSITIVE_INFINITY, percent: 100 };
const NONE = { bytes: 0, percent: 0 };

interface Bench {
  readonly clock: ManualClock;
  readonly guard: OutputGuard;
  readonly directory: string;
  isDoubted: boolean;
  /** Letter of the command's state, as the kernel has it. */
  state(): string | undefined;
}

/** A job of which nobody reads so much as the window holds, and whose reader has just spoken. */
async function hold(): Promise<Bench> {
  const directory = makeDirectory();
  writeFileSync(join(directory, 'stderr'), '');
  writeFileSync(join(directory, 'stdout'), '');
  const launcher = spawn('sh', ['-c', 'sleep 600 & echo $!; wait'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { pid = 0 } = launcher;
  onTestFinished(() => void process.kill(-pid, 'SIGKILL'));
  const [said] = (await once(launcher.stdout, 'data')) as [Buffer];
  const clock = createManualClock();
  const guard = createOutputGuard(clock, { output: ALL, reserve: NONE }, () => undefined);
  const bench: Bench = {
    clock,
    guard,
    directory,
    isDoubted: false,
    state: () => /\) (\S)/.exec(readFileSync(`/proc/${said.toString().trim()}/stat`, 'utf8'))?.[1],
  };
  guard.begin({ run: 'a', directory, leader: pid, hasNamespace: false, isDoubted: () => bench.isDoubted });
  guard.heed('a', { stdout: 0, stderr: 0 }, 5000);
  truncateSync(join(directory, 'stdout'), 2 * WINDOW_BYTES);
  guard.look();
  await expect.poll(bench.state).toBe('T');
  return bench;
}

describe.skipIf(process.platform !== 'linux')('a job that is held for its reader', () => {
  it('goes on when the reader has caught up', async () => {
    const { guard, state, directory } = await hold();
    expect(existsSync(join(directory, 'paused'))).toBe(true);
    guard.heed('a', { stdout: 2 * WINDOW_BYTES, stderr: 0 }, 5000);
    guard.look();
    await expect.poll(state).toBe('S');
    expect(existsSync(join(directory, 'paused'))).toBe(false);
  });

  it('stays stopped while its watchdog is in doubt, also when the node goes', async () => {
    const bench = await hold();
    bench.isDoubted = true;
    bench.clock.pass(60_000);
    bench.guard.look();
    bench.guard.letGo('a');
    bench.guard.close();
    expect(bench.state()).toBe('T');
    // The next life of the node knows it by this.
    expect(existsSync(join(bench.directory, 'paused'))).toBe(true);
  });

  it('is let go on once the doubt is answered', async () => {
    const bench = await hold();
    bench.isDoubted = true;
    bench.clock.pass(60_000);
    bench.guard.look();
    expect(bench.state()).toBe('T');
    bench.isDoubted = false;
    bench.guard.look();
    await expect.poll(bench.state).toBe('S');
  });

  it('is held no more when it is to end: it must be able to hear and to save', async () => {
    const { guard, state } = await hold();
    guard.letGo('a');
    await expect.poll(state).toBe('S');
    guard.look();
    expect(state()).toBe('S');
  });

  it('is looked at all the same when its output cannot be', async () => {
    const { guard, directory } = await hold();
    guard.end('a');
    const strange = {
      run: 'b',
      directory: `${directory}/stdout/none`,
      leader: 1,
      hasNamespace: false,
      isDoubted: () => false,
    };
    expect(() => {
      guard.begin(strange);
      guard.look();
    }).not.toThrow();
  });
});
