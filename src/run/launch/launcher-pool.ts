/**
 * Provides waiting launchers, so that a start costs a write to a pipe instead of a spawn. They come from the fork
 * server, which has closed all inherited descriptors: the journal's library opens its files without O_CLOEXEC, so
 * direct children of the node inherit them, and a job must not be able to write to them. It knows nothing about runs.
 */
import { execa, type Options } from 'execa';
import type { SchedulerLike, Subscription } from 'rxjs';
import { describeError } from '../../os/errors.js';
import { composeLauncherPath } from './environment.js';
import { LAUNCHER, type Launcher } from './launcher.js';
import { createForkServer } from './fork-server.js';
import { readStart } from '../processes/process-table.js';

/** A launcher, or the reason why none could be started. */
export type Launched = Launcher | { readonly reason: string };

/** A source of launchers. */
export interface LauncherPool {
  /**
   * Calls back with a launcher that has none of the node's descriptors: at once if one is ready, else as soon as one
   * is.
   */
  takeClean(done: (launched: Launched) => void): void;
  /**
   * Like {@link takeClean}, for a run that need not be freezable: if the fork server cannot be started at all (the
   * `node` program was removed under a running node), the launcher is a child of the node and inherits its open
   * descriptors.
   */
  take(done: (launched: Launched) => void): void;
  /** Ends the fork server and fails all waiting requests. */
  close(): void;
}

/** How long a start waits for a fork server that is starting, in milliseconds. */
const RAISE_MS = 10_000;

/** A request waiting for a launcher. */
interface Waiting {
  readonly isClean: boolean;
  readonly done: (launched: Launched) => void;
  readonly timer: Subscription;
}

/** Creates a launcher pool and its fork server; `path` is the node's PATH. */
export function createLauncherPool(scheduler: SchedulerLike, path: string | undefined): LauncherPool {
  const waiting = new Set<Waiting>();
  let isClosed = false;
  const forkServer = createForkServer(path, { ready: serve, ended: serve, failed: serveWithout });

  /** Serves waiting requests when a launcher became ready. */
  function serve(): void {
    for (const one of waiting) {
      const launcher = forkServer.take();
      if (launcher === undefined) return;
      answer(one, launcher);
    }
  }

  /** Answers waiting requests when there will be no fork server. */
  function serveWithout(): void {
    for (const one of waiting) answer(one, startWithout(one.isClean));
  }

  function answer(one: Waiting, launched: Launched): void {
    waiting.delete(one);
    one.timer.unsubscribe();
    one.done(launched);
  }

  function startWithout(isClean: boolean): Launched {
    return isClean || isClosed ? { reason: NO_FORK_SERVER } : startLauncher(path);
  }

  function takeAs(isClean: boolean, done: (launched: Launched) => void): void {
    const launcher = forkServer.take();
    if (launcher !== undefined) return done(launcher);
    if (isClosed || forkServer.isOver()) return done(startWithout(isClean));
    const timer = scheduler.schedule(() => answer(one, startWithout(isClean)), RAISE_MS);
    const one: Waiting = { isClean, done, timer };
    waiting.add(one);
  }

  return {
    take: (done) => takeAs(false, done),
    takeClean: (done) => takeAs(true, done),
    close: () => {
      isClosed = true;
      forkServer.close();
      for (const one of waiting) answer(one, { reason: 'the node was stopped' });
    },
  };
}

const NO_FORK_SERVER = 'the fork server could not start its launcher';

/** The cheapest options for execa: 0.6 ms more than a bare spawn. */
const LEAN = {
  cwd: '/',
  detached: true,
  cleanup: false,
  reject: false,
  buffer: false,
  extendEnv: false,
  stdio: ['pipe', 'ignore', 'ignore'],
} as const satisfies Options;

function startLauncher(path: string | undefined): Launcher | { readonly reason: string } {
  const env = { PATH: composeLauncherPath(path) };
  const child = execa('/bin/sh', ['-c', LAUNCHER, 'tritmesh-launcher'], { ...LEAN, env });
  const { pid, stdin } = child;
  if (pid === undefined || stdin === null || stdin === undefined)
    return { reason: 'the launcher could not be started: /bin/sh does not run' };
  // Writing to a launcher that died before its order fails with EPIPE; its exit event reports the end.
  stdin.on('error', () => undefined);
  child.unref();
  let start: string;
  try {
    start = readStart(pid) ?? 'gone';
  } catch (error) {
    // Without a start time it could not be found again.
    stdin.end();
    return { reason: `its launcher cannot be looked at: ${describeError(error)}` };
  }
  return {
    handle: { pid, start },
    go: (directory) => stdin.end(`${directory}\n`),
    onEnd: (done) => {
      if (child.exitCode !== null || child.signalCode !== null) queueMicrotask(() => done(child.signalCode));
      else child.once('exit', (_code, signal) => done(signal));
    },
    dismiss: () => stdin.end(),
  };
}
