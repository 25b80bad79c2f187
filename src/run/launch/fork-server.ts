/**
 * The node's side of the fork server (see fork-server-program.ts), which is started with the node and restarted on
 * the next use if it died. It never blocks: when no launcher is ready it returns none and reports when one is.
 */
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { execa, type Options } from 'execa';
import { composeLauncherPath } from './environment.js';
import { LAUNCHER, type Launcher } from './launcher.js';
import { FORK_SERVER } from './fork-server-program.js';
import { tryReadStart } from '../processes/process-table.js';

/** A source of waiting launchers. */
export interface ForkServer {
  /** Returns a launcher, or `undefined`; restarts the fork server if it died. */
  take(): Launcher | undefined;
  /** Whether no launcher will ever come: it was closed, or cannot run on this machine. */
  isOver(): boolean;
  /** Ends the fork server; launchers with an order continue. */
  close(): void;
}

/** Callbacks of a fork server. */
export interface ForkServerEvents {
  /** A launcher is ready. */
  readonly ready?: () => void;
  /** It ended; the next `take` starts another. */
  readonly ended?: () => void;
  /** It cannot run on this machine: it ended without ever having worked. */
  readonly failed?: () => void;
}

/** Waiting launchers: a burst of this many starts does not wait for a spawn. Each is a shell of about 1 MB. */
const SPARES = 4;

/** Creates the source and starts the fork server; `path` is the node's PATH. */
export function createForkServer(path: string | undefined, news: ForkServerEvents = {}): ForkServer {
  let running: RunningForkServer | undefined;
  let isOver = false;
  let wasEverOfUse = false;

  function begin(): void {
    if (isOver || running !== undefined) return;
    const begun = startForkServer(path, news.ready ?? (() => undefined), (wasOfUse) => {
      running = undefined;
      const wasClosed = isOver;
      wasEverOfUse ||= wasOfUse;
      // Where it has never worked it is not retried; a temporary failure, such as a lack of memory, is.
      isOver ||= !wasEverOfUse;
      if (wasClosed) return;
      if (isOver) news.failed?.();
      else news.ended?.();
    });
    running = isOver ? undefined : begun;
  }

  begin();
  return {
    take() {
      begin();
      return running?.take();
    },
    isOver: () => isOver,
    close() {
      isOver = true;
      running?.end();
    },
  };
}

interface RunningForkServer {
  take(): Launcher | undefined;
  end(): void;
}

/** State of a launcher that has been taken. */
interface Taken {
  onEnd: (signal: string | null) => void;
  onLost: () => void;
  /** Set once it has ended; `signal` is `null` when it exited. */
  ended: { readonly signal: string | null } | undefined;
}

/** In its own session, so that a Ctrl-C for the node does not reach it. */
const OPTIONS = {
  cwd: '/',
  detached: true,
  cleanup: false,
  reject: false,
  buffer: false,
  extendEnv: false,
  stdio: ['pipe', 'pipe', 'ignore'],
} as const satisfies Options;

function startForkServer(
  path: string | undefined,
  isReady: () => void,
  over: (wasOfUse: boolean) => void,
): RunningForkServer | undefined {
  const ready = new Set<number>();
  const taken = new Map<number, Taken>();
  let wasOfUse = false;
  const env = { PATH: composeLauncherPath(path) };
  const child = execa(process.execPath, ['-e', FORK_SERVER, '--', LAUNCHER, String(SPARES)], { ...OPTIONS, env });
  child.once('exit', end);
  if (child.pid === undefined) {
    over(false);
    return undefined;
  }
  child.unref();
  for (const pipe of [child.stdin, child.stdout]) letGo(pipe);
  // Writing to a dead fork server fails with EPIPE; its exit event reports the end.
  child.stdin.on('error', () => undefined);
  readLines(child.stdout, hear);

  function hear(line: string): void {
    const [word, number, signal] = line.split(' ');
    const pid = Number(number);
    wasOfUse = true;
    if (word === 'ended') sayEnded(pid, signal === '-' ? null : (signal ?? null));
    if (word !== 'ready') return;
    ready.add(pid);
    isReady();
  }

  function sayEnded(pid: number, signal: string | null): void {
    ready.delete(pid);
    const launcher = taken.get(pid);
    taken.delete(pid);
    if (launcher === undefined) return;
    launcher.ended = { signal };
    launcher.onEnd(signal);
  }

  function end(): void {
    ready.clear();
    for (const launcher of taken.values()) launcher.onLost();
    taken.clear();
    over(wasOfUse);
  }

  function take(): Launcher | undefined {
    for (const pid of ready) {
      ready.delete(pid);
      const start = tryReadStart(pid);
      if (start !== undefined) return wrap(pid, start);
      child.stdin.write(`drop ${pid}\n`);
    }
    return undefined;
  }

  function wrap(pid: number, start: string): Launcher {
    const state: Taken = { onEnd: () => undefined, onLost: () => undefined, ended: undefined };
    taken.set(pid, state);
    return {
      handle: { pid, start },
      go: (directory) => child.stdin.write(`go ${pid} ${directory}\n`),
      onEnd: (done, lost) => {
        const { ended } = state;
        if (ended !== undefined) return queueMicrotask(() => done(ended.signal));
        state.onEnd = done;
        state.onLost = lost;
      },
      dismiss: () => child.stdin.write(`drop ${pid}\n`),
    };
  }

  return { take, end: () => child.stdin.end() };
}

/** Reads the output of a fork server line by line. */
function readLines(stdout: Readable, hear: (line: string) => void): void {
  let heard = '';
  stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (heard + text).split('\n');
    heard = lines.pop() ?? '';
    for (const line of lines) hear(line);
  });
}

/** An open pipe would keep the node from exiting. */
function letGo(pipe: Readable | Writable): void {
  if (pipe instanceof Socket) pipe.unref();
}
