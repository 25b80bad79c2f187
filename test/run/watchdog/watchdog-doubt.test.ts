/**
 * The watchdog when it cannot know how much time passed: its clock fails, jumps or lies, or it was stopped itself as a machine that
 * sleeps is. It is never early, waits for nobody for ever, and stops the job while it is in doubt.
 */
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'vitest';
import { formatClock, SHELLS, startGuarded, type Guarded, type GuardedOptions } from '../../support/guarded.js';

const LOOK = { timeout: 15_000, interval: 20 };
/** Writes a line, then lives until its file is there, and ends with 7. */
const TILL_GATE = 'echo up; (while [ ! -e ../gate ]; do sleep 0.05; done; exit 3) & wait $!; exit 7';

async function start(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  options: Partial<GuardedOptions> & { readonly shell: string },
): Promise<Guarded> {
  const guarded = await startGuarded({ script: TILL_GATE, leaseMs: 60_000, ...options });
  onTestFinished(guarded.clear);
  return guarded;
}

function openGate(run: Guarded): void {
  mkdirSync(join(run.directory, 'gate'));
}

const isHeld = (run: Guarded): boolean => run.states().length > 1 && run.states().every((state) => state === 'T');
const isGoing = (run: Guarded): boolean => run.states().length > 1 && run.states().every((state) => state !== 'T');

// They wait for most of their time.
describe.concurrent.each(SHELLS)('under %s, the watchdog', (shell) => {
  it.for([
    { what: 'cannot be read', text: undefined },
    { what: 'is empty', text: '' },
    { what: 'is garbage', text: 'what is this\n' },
    { what: 'is garbage where the number should be', text: formatClock(Number.NaN) },
    { what: 'stands still', text: formatClock(1000) },
    { what: 'went back', text: formatClock(1) },
  ])(
    'counts its own sleeps when its clock $what: it ends a run whose lease is over, and no earlier',
    async ({ text }, context) => {
      const { expect } = context;
      const run = await start(context, { shell, clock: 'file', leaseMs: 3000 });
      run.setClock(text);
      expect(await run.end()).toMatchObject({ ended: 'watchdog: lease ended' });
      expect(performance.now() - run.startedAt).toBeGreaterThan(2500);
    },
  );

  it('stops the job when its clock jumped past the lease, and lets it go on when the node answers', async (context) => {
    const { expect } = context;
    const run = await start(context, { shell, clock: 'file' });
    expect(isGoing(run)).toBe(true);
    run.setClock(formatClock(100_000_000));
    await expect.poll(() => run.doubt(), LOOK).toBe(1);
    await expect.poll(() => isHeld(run), LOOK).toBe(true);
    // What was written before the jump, or by who does not know of it, is no answer.
    run.extend(60_000, 0);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(isHeld(run)).toBe(true);
    run.extend(60_000, 1);
    await expect.poll(() => isGoing(run), LOOK).toBe(true);
    openGate(run);
    expect(await run.end()).toEqual({ code: '7', ended: '' });
  });

  it('ends a job that it stopped when nobody answers for as long as the lease was by its own sleeps', async (context) => {
    const { expect } = context;
    const run = await start(context, { shell, clock: 'file', leaseMs: 7000 });
    run.setClock(formatClock(100_000_000));
    await expect.poll(() => isHeld(run), LOOK).toBe(true);
    expect(await run.end()).toMatchObject({ ended: 'watchdog: lease ended' });
    expect(performance.now() - run.startedAt).toBeGreaterThan(6000);
  });

  it('does not stop the job when a jump leaves some of the lease, and asks what is left', async (context) => {
    const { expect } = context;
    const run = await start(context, { shell, clock: 'file' });
    run.setClock(formatClock(3000));
    await expect.poll(() => run.doubt(), LOOK).toBe(1);
    expect(isGoing(run)).toBe(true);
    run.extend(60_000, 1);
    openGate(run);
    expect(await run.end()).toEqual({ code: '7', ended: '' });
  });

  it('continues what it stopped and nothing else', async (context) => {
    const { expect } = context;
    const script =
      'echo up; sleep 600 & echo $! >../other; kill -STOP $!; while [ ! -e ../gate ]; do sleep 0.05; done; exit 7';
    const run = await start(context, { shell, clock: 'file', script });
    await expect.poll(() => run.states().includes('T'), LOOK).toBe(true);
    run.setClock(formatClock(100_000_000));
    await expect.poll(() => isHeld(run), LOOK).toBe(true);
    run.extend(60_000, 1);
    await expect.poll(() => run.states().some((state) => state !== 'T'), LOOK).toBe(true);
    expect(run.states()).toContain('T');
    openGate(run);
    expect(await run.end()).toEqual({ code: '7', ended: '' });
  });

  it('continues nothing while there is an image: that is the thaw’s to do', async (context) => {
    const { expect } = context;
    const run = await start(context, { shell, clock: 'file' });
    run.setClock(formatClock(100_000_000));
    await expect.poll(() => isHeld(run), LOOK).toBe(true);
    mkdirSync(join(run.directory, 'image'));
    run.extend(60_000, 1);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(isHeld(run)).toBe(true);
    rmdirSync(join(run.directory, 'image'));
    await expect.poll(() => isGoing(run), LOOK).toBe(true);
  });

  it('never ends a job at its wall-clock limit because of a jump', async (context) => {
    const { expect } = context;
    const run = await start(context, { shell, clock: 'file', limitMs: 30_000 });
    run.setClock(formatClock(100_000_000));
    await expect.poll(() => run.doubt(), LOOK).toBe(1);
    run.extend(60_000, 1);
    await expect.poll(() => isGoing(run), LOOK).toBe(true);
    openGate(run);
    expect(await run.end()).toEqual({ code: '7', ended: '' });
  });

  it('ends a job at its wall-clock limit', async (context) => {
    const { expect } = context;
    const run = await start(context, { shell, limitMs: 1000 });
    expect(await run.end()).toMatchObject({ ended: 'watchdog: wall-clock limit' });
  });

  it('that was stopped itself for longer than the lease stops the job, and ends it when nobody answers', async (context) => {
    const { expect } = context;
    const run = await start(context, { shell, leaseMs: 5000 });
    const watchdog = run.watchdog();
    process.kill(watchdog, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 7000));
    expect(isGoing(run)).toBe(true);
    process.kill(watchdog, 'SIGCONT');
    await expect.poll(() => isHeld(run), LOOK).toBe(true);
    expect(run.doubt()).toBe(1);
    expect(await run.end()).toMatchObject({ ended: 'watchdog: lease ended' });
  });

  it('is not hurried by signals that cut its sleeps short', async (context) => {
    const { expect } = context;
    const run = await start(context, { shell, leaseMs: 4000 });
    const watchdog = run.watchdog();
    const timer = setInterval(() => signalWhileThere(watchdog), 100);
    try {
      expect(await run.end()).toMatchObject({ ended: 'watchdog: lease ended' });
    } finally {
      clearInterval(timer);
    }
    expect(performance.now() - run.startedAt).toBeGreaterThan(3500);
    expect(performance.now() - run.startedAt).toBeLessThan(20_000);
  });

  it('reads a deadline whole or not at all', async (context) => {
    const { expect } = context;
    const run = await start(context, { shell, leaseMs: 3000 });
    for (const text of ['2 6000 0 1\n', '2 6x00 0 2\n', '2 6000\n', '\n', 'a b c d e\n', '2  0 2\n'])
      writeFileSync(join(run.directory, 'deadline'), text);
    expect((await run.end()).ended).toBe('watchdog: lease ended');
  });
});

/** It ends in the middle of this. */
function signalWhileThere(pid: number): void {
  try {
    process.kill(pid, 'SIGUSR1');
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ESRCH') throw error;
  }
}
