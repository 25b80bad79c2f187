/**
 * Kills what a command left running outside its session, and notes it at the end of the command's stderr. Files still
 * held by processes that must not be killed are replaced by copies, which keep the current size. It waits a few
 * seconds at most.
 */
import { copyFile, open, rename, rm, utimes } from 'node:fs/promises';
import { constants } from 'node:fs';
import type { Clock } from '../../clock/clock.js';
import {
  findLeftBehind,
  isStillThere,
  type EndedRun,
  type HeldFile,
  type LeftBehind,
  type LeftProcess,
} from './left-behind.js';
import { appendNotice } from '../directory/run-directory.js';
import { signalProcess } from './session.js';

/** First and longest pause between checks, and the total time: a process may hang in I/O on a dead disk. */
const LOOK_MS = 5;
const LOOK_MS_MAX = 200;
const WAIT_MS = 5000;
/** Limit against a program that forks continuously. */
const ROUNDS_MAX = 100;
/** During an exec a process has no environment, for fewer checks than this; one that never has any is left alone. */
const UNCLEAR_ROUNDS_MAX = 3;
const NAMES_MAX = 5;

/** Kills the leftovers of `run`, then calls `done`; synchronously when there are none, which is the usual case. */
export function endLeftBehind(run: EndedRun, clock: Clock, done: () => void, find: Find = findLeftBehind): void {
  const ended = new Map<number, LeftProcess>();
  const until = clock.now() + WAIT_MS;

  const look = (pauseMs: number, rounds: number): void => {
    const found = tryFind(run, find);
    const { marked, held, isUnclear } = found ?? NOTHING_SEEN;
    for (const one of marked) {
      ended.set(one.pid, one);
      if (isStillThere(one)) signalProcess(one.pid, 'SIGKILL');
    }
    const isOver = found !== undefined && marked.length === 0 && !(isUnclear && rounds < UNCLEAR_ROUNDS_MAX);
    if (!isOver && clock.now() < until && rounds < ROUNDS_MAX) {
      clock.scheduler.schedule(() => look(Math.min(2 * pauseMs, LOOK_MS_MAX), rounds + 1), pauseMs);
      return;
    }
    finish(new Set(marked.map(({ pid }) => pid)), held);
  };

  const finish = (left: ReadonlySet<number>, held: readonly HeldFile[]): void => {
    const gone = [...ended.values()].filter(({ pid }) => !left.has(pid));
    const stuck = [...ended.values()].filter(({ pid }) => left.has(pid));
    const others = [...new Map(held.map((one) => [one.pid, one])).values()];
    const say = (): void => {
      const { directory } = run;
      if (gone.length > 0) appendNotice(directory, `ended ${count(gone)} that the job left running: ${list(gone)}`);
      if (stuck.length > 0) appendNotice(directory, `could not end ${count(stuck)} of the job: ${list(stuck)}`);
      if (others.length > 0) appendNotice(directory, `left alone, and cut off from its files: ${list(others)}`);
    };
    const end = (): void => {
      say();
      done();
    };
    if (held.length === 0) end();
    else void cutOff([...new Set(held.map(({ path }) => path))], end);
  };

  look(LOOK_MS, 0);
}

/** Kills what carries the mark of a run whose leader is not known, then calls `done`. */
export function endUnknown(run: Pick<EndedRun, 'directory' | 'mark'>, clock: Clock, done: () => void): void {
  endLeftBehind({ ...run, handle: { pid: 0, start: '0@' }, afterPid: undefined }, clock, done);
}

type Find = (run: EndedRun) => LeftBehind;

const NOTHING_SEEN: LeftBehind = { marked: [], held: [], isUnclear: false };

/** `undefined` while the node has no descriptor left to search with. */
function tryFind(run: EndedRun, find: Find): LeftBehind | undefined {
  try {
    return find(run);
  } catch {
    return undefined;
  }
}

type Named = Pick<LeftProcess, 'pid' | 'name'>;

function count({ length }: readonly Named[]): string {
  return `${length} process${length === 1 ? '' : 'es'}`;
}

function list(processes: readonly Named[]): string {
  const names = processes.slice(0, NAMES_MAX).map(({ pid, name }) => `${name} (${pid})`);
  const more = processes.length > NAMES_MAX ? [`and ${processes.length - NAMES_MAX} more`] : [];
  return [...names, ...more].join(', ');
}

/** Replaces each file by a copy: a process that has it open continues to write to the unlinked original. */
async function cutOff(paths: readonly string[], done: () => void): Promise<void> {
  for (const path of paths) {
    const copy = `${path}.tritmesh-cut`;
    // On a full disk the file may keep growing; what is transferred is cut at its size then.
    await replaceByCopy(path, copy).catch(() => rm(copy, { force: true }).catch(() => undefined));
  }
  // Outside this promise: an error in `done` is a bug and must end the program.
  queueMicrotask(done);
}

/** Follows no symlink that somebody may plant meanwhile, at either path. */
async function replaceByCopy(path: string, copy: string): Promise<void> {
  const source = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { atime, mtime } = await source.stat();
    await rm(copy, { force: true });
    await copyFile(`/proc/self/fd/${source.fd}`, copy, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    await utimes(copy, atime, mtime);
    await rename(copy, path);
  } finally {
    await source.close();
  }
}
