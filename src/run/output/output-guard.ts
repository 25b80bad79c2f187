/**
 * Watches how much the runs of one runner write: holds one whose reader is behind, reports one that writes what nobody
 * reads, and remembers whether the disk was full while it ran. Held is stopped by SIGSTOP, the launcher and its
 * guardian left out; a mark in the directory tells the next life of the node. What is to be done is core's to say.
 */
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Subscription } from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import { amountOf, type DiskAmount } from '../../core/disk/disk-space.js';
import { judgeOutput, PATIENCE_MS } from '../../core/disk/output-limit.js';
import { measureDiskSpace, type DiskSpace } from '../../os/disk-space.js';
import { isWatchdogProcess } from '../watchdog/watchdog-process.js';
import { tryReadProcessTable } from '../processes/process-table.js';
import { signalProcess } from '../processes/session.js';
import type { Reading } from '../runner.js';

/** How much output is allowed. */
export interface OutputRules {
  /** What a job may write that nobody reads. */
  readonly output: DiskAmount;
  /** What guests leave free. */
  readonly reserve: DiskAmount;
}

/** What the guard needs to know of a run. */
export interface GuardedRun {
  readonly run: string;
  readonly directory: string;
  /** Leads its session. */
  readonly launcher: number;
  /** It lives in a box, whose processes are not stopped one by one. */
  readonly isBoxed: boolean;
  /** Its guardian holds it in doubt: it must not be let go on from here. */
  isDoubted(): boolean;
}

/** Guards the output of the runs of one runner. */
export interface OutputGuard {
  begin(run: GuardedRun): void;
  /** Somebody has read so much, and is there for `forMs`. */
  heed(run: string, reading: Reading, forMs: number): void;
  /** It is asked or told to end, and must be able to: it is held no more. */
  letGo(run: string): void;
  /** Looks at all runs. */
  look(): void;
  /** It has ended; tells that the disk was full meanwhile, if it was. */
  end(run: string): { readonly diskWasFull?: true };
  /** Lets everything go on that is held. */
  close(): void;
}

interface Watched extends GuardedRun {
  written: number;
  read: number;
  readerUntil: number;
  isHeld: boolean;
  isReported: boolean;
  /** It is to end: it is held no more. */
  isLetGo: boolean;
  /** Since when it has written too much, on the clock. */
  overSince: number | undefined;
  diskWasFull: boolean;
  timer: Subscription | undefined;
}

const HELD_MARK = 'paused';
/** Less than this is no room: not one more page. */
const PAGE_BYTES = 4096;
/** A job that writes fast is seen before the first regular look, and looked at oftener. */
const FIRST_LOOKS_MS: readonly number[] = [20, 30, 50];
const FAST_BYTES: number = 4 * 1024 ** 2;
const FAST_LOOK_MS = 20;

/** Creates the guard; `tell` hears once of each run that is to be ended, and why. */
export function createOutputGuard(
  clock: Pick<Clock, 'now' | 'scheduler'>,
  rules: OutputRules,
  tell: (run: string, reason: string) => void,
): OutputGuard {
  const runs = new Map<string, Watched>();

  function later(one: Watched, [waitMs, ...rest]: readonly number[]): void {
    if (waitMs === undefined || one.timer !== undefined) return;
    one.timer = clock.scheduler.schedule(() => {
      one.timer = undefined;
      if (runs.get(one.run) !== one) return;
      lookAt(one, measureDiskSpace(one.directory));
      later(one, rest);
    }, waitMs);
  }

  function lookAt(one: Watched, space: DiskSpace | undefined): void {
    const written = measure(one.directory);
    const grown = written - one.written;
    one.written = written;
    if (space !== undefined && space.freeBytes < PAGE_BYTES) one.diskWasFull = true;
    const isRead = clock.now() < one.readerUntil && !one.isBoxed;
    const verdict = judgeOutput(
      {
        written,
        grew: grown > 0,
        read: isRead ? one.read : undefined,
        room: space === undefined ? undefined : space.freeBytes - amountOf(rules.reserve, space.totalBytes),
        isHeld: one.isHeld,
      },
      rules.output,
    );
    if ('end' in verdict) return report(one, verdict.end);
    one.overSince = undefined;
    // What was told to end is let go by whoever ends it.
    if (one.isReported) return;
    if ('hold' in verdict && !one.isLetGo) hold(one);
    else if (one.isHeld) release(one);
    if (grown > FAST_BYTES) later(one, [FAST_LOOK_MS]);
  }

  function report(one: Watched, reason: string): void {
    // It writes on until it is ended, or while it does not hear that it is to end: held again each time it grew.
    if (!one.isBoxed && !one.isLetGo) hold(one);
    one.overSince ??= clock.now();
    if (one.isReported || clock.now() - one.overSince < PATIENCE_MS) return;
    one.isReported = true;
    tell(one.run, reason);
  }

  return {
    begin: (run) => {
      const one: Watched = {
        ...run,
        written: measure(run.directory),
        read: 0,
        readerUntil: Number.NEGATIVE_INFINITY,
        isHeld: existsSync(join(run.directory, HELD_MARK)),
        isReported: false,
        isLetGo: false,
        overSince: undefined,
        diskWasFull: false,
        timer: undefined,
      };
      runs.set(run.run, one);
      later(one, FIRST_LOOKS_MS);
    },
    heed: (run, { stdout, stderr }, forMs) => {
      const one = runs.get(run);
      if (one === undefined) return;
      one.read = Math.max(one.read, stdout + stderr);
      one.readerUntil = clock.now() + forMs;
      if (one.isHeld) later(one, [0]);
    },
    letGo: (run) => {
      const one = runs.get(run);
      if (one === undefined) return;
      one.isLetGo = true;
      if (one.isHeld) release(one);
    },
    look: () => {
      let space: DiskSpace | undefined;
      for (const one of runs.values()) {
        // All are below one state directory.
        space ??= measureDiskSpace(one.directory);
        lookAt(one, space);
      }
    },
    end: (run) => {
      const one = runs.get(run);
      if (one === undefined) return {};
      one.timer?.unsubscribe();
      runs.delete(run);
      const space = measureDiskSpace(one.directory);
      const isFull = space !== undefined && space.freeBytes < PAGE_BYTES;
      return one.diskWasFull || isFull ? { diskWasFull: true } : {};
    },
    close: () => {
      for (const one of runs.values()) {
        one.timer?.unsubscribe();
        if (one.isHeld) release(one);
      }
      runs.clear();
    },
  };
}

/** Stops the command and what it started. Said again each time: somebody may have continued it. */
function hold(one: Watched): void {
  try {
    writeFileSync(join(one.directory, HELD_MARK), '');
  } catch {
    // Without the mark a node that dies now would leave it stopped until its lease ends; then it is rather not held.
    return;
  }
  one.isHeld = true;
  // Twice: one that was just being forked is met by the second.
  for (let round = 0; round < 2; round += 1) signalCommand(one, 'SIGSTOP');
}

/**
 * Tried again with the next look when it cannot be: the guardian is in doubt, or there is no descriptor left to find
 * the processes.
 */
function release(one: Watched): void {
  if (one.isDoubted() || !signalCommand(one, 'SIGCONT')) return;
  try {
    rmSync(join(one.directory, HELD_MARK), { force: true });
  } catch {
    // A mark that stays has it continued once more, by the next life of the node.
  }
  one.isHeld = false;
}

/** Whether the processes could be looked at. */
function signalCommand({ launcher }: Watched, signal: 'SIGSTOP' | 'SIGCONT'): boolean {
  const table = tryReadProcessTable();
  for (const row of table) {
    const isOfRun = row.session === launcher || row.group === launcher;
    if (isOfRun && !row.zombie && row.pid !== launcher && !isWatchdogProcess(row.pid)) signalProcess(row.pid, signal);
  }
  return table.length > 0;
}

function measure(directory: string): number {
  return sizeOf(join(directory, 'stdout')) + sizeOf(join(directory, 'stderr'));
}

/** What the job or a failing disk has made unreachable has no size. */
function sizeOf(file: string): number {
  try {
    return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
}
