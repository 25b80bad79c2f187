/**
 * Gives launchers that wait for their order, so that a start costs a write to a pipe instead of a spawn: the nursery's when
 * there is one, else the one spare that the node made itself, else a new one. It knows nothing of runs.
 */
import { execa, type Options } from 'execa';
import { noop, type SchedulerLike } from 'rxjs';
import { composeLauncherPath } from './environment.js';
import { LAUNCHER, type Launcher } from './launcher.js';
import { createNursery } from './nursery.js';
import { readStart } from './process-table.js';

/** A source of launchers. */
export interface LaunchPad {
  /** Gives a launcher, or the reason why none could be started. */
  take(): Launcher | { readonly reason: string };
  /**
   * Calls back with a launcher that holds nothing of the node's own, as soon as there is one: what holds a file of a stranger
   * cannot be frozen, and the library of the journal opens its files so that every child of the node gets them.
   */
  takeClean(done: (launcher: Launcher | { readonly reason: string }) => void): void;
  /** Lets the spare go. */
  close(): void;
}

/**
 * When the next spare is made: soon after the run of the last launcher ended, or after a while if it goes on. Making one
 * holds the node for some 2 ms, which should not come between a command and the news of its start or end.
 */
const REFILL_AFTER_END_MS = 2;
const REFILL_MS = 25;

/** How often a nursery that is still being raised is asked, and until when, ms. */
const ASK_MS = 10;
const RAISE_MS = 10_000;

/** Creates a launch pad; it starts its first spare at once, and a nursery at the first take. */
export function createLaunchPad(scheduler: SchedulerLike, path: string | undefined): LaunchPad {
  const nursery = createNursery(scheduler, path);
  let spare: SpareLauncher | undefined;
  let isClosed = false;

  const refill = (): void => {
    if (isClosed || spare?.isAlive() === true) return;
    const made = startLauncher(path);
    spare = 'reason' in made ? undefined : made;
  };
  scheduler.schedule(refill);

  const takeClean = (done: Parameters<LaunchPad['takeClean']>[0], until: number): void => {
    const raised = nursery.take();
    if (raised !== undefined) return done(raised);
    if (isClosed || scheduler.now() >= until) return done({ reason: 'no launcher of its own could be raised for it' });
    scheduler.schedule(() => takeClean(done, until), ASK_MS);
  };

  return {
    takeClean: (done) => takeClean(done, scheduler.now() + RAISE_MS),
    take: () => {
      const raised = nursery.take();
      if (raised !== undefined) return raised;
      const taken = spare?.isAlive() === true ? spare : startLauncher(path);
      spare = undefined;
      scheduler.schedule(refill, REFILL_MS);
      if (!('reason' in taken)) taken.onEnd(() => scheduler.schedule(refill, REFILL_AFTER_END_MS), noop);
      return taken;
    },
    close: () => {
      isClosed = true;
      nursery.close();
      spare?.dismiss();
    },
  };
}

interface SpareLauncher extends Launcher {
  isAlive(): boolean;
}

/** The leanest execa there is: 0.6 ms more than a bare spawn, and off the path of a start when a spare is there. */
const LEAN = {
  cwd: '/',
  detached: true,
  cleanup: false,
  reject: false,
  buffer: false,
  extendEnv: false,
  stdio: ['pipe', 'ignore', 'ignore'],
} as const satisfies Options;

function startLauncher(path: string | undefined): SpareLauncher | { readonly reason: string } {
  const env = { PATH: composeLauncherPath(path) };
  const child = execa('/bin/sh', ['-c', LAUNCHER, 'tritmesh-launcher'], { ...LEAN, env });
  const { pid, stdin } = child;
  if (pid === undefined || stdin === null || stdin === undefined)
    return { reason: 'the launcher could not be started: /bin/sh does not run' };
  // A launcher that died before its order breaks the pipe; its end says so.
  stdin.on('error', () => undefined);
  child.unref();
  return {
    handle: { pid, start: readStart(pid) ?? 'gone' },
    go: (directory) => stdin.end(`${directory}\n`),
    onEnd: (done) => {
      if (child.exitCode !== null || child.signalCode !== null) queueMicrotask(() => done(child.signalCode));
      else child.once('exit', (_code, signal) => done(signal));
    },
    isAlive: () => child.exitCode === null && child.signalCode === null,
    dismiss: () => stdin.end(),
  };
}
