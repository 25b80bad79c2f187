/**
 * Limits how much the runs of one runner write: holds a run whose reader lags, reports one that writes too much
 * without a reader, and records whether the disk was full. Holding means SIGSTOP to everything; a marker
 * file records it across node restarts. What happens to a reported run is for core to decide.
 */
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Subscription } from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import { amountOf, type DiskAmount } from '../../core/disk/disk-space.js';
import { judgeOutput, PATIENCE_MS } from '../../core/disk/output-limit.js';
import { measureDiskSpace, type DiskSpace } from '../../os/disk-space.js';
import { isLegacyGuard } from '../legacy/legacy-launcher.js';
import { tryReadProcessTable } from '../processes/process-table.js';
import { signalProcess } from '../processes/session.js';
import type { Reading } from '../runner.js';

/** Limits on output. */
export interface OutputRules {
  /** What a job may write without a reader. */
  readonly output: DiskAmount;
  /** Disk space that guests must leave free. */
  readonly reserve: DiskAmount;
}

/** A run as the guard needs to know it. */
export interface GuardedRun {
  readonly run: string;
  readonly directory: string;
  /** Pid of the leader of its session. */
  readonly leader: number;
  /** It lives in a pid namespace; such processes are not stopped one by one. */
  readonly hasNamespace: boolean;
  /** Its watchdog is in doubt about the lease, so the guard must not continue it. */
  isDoubted(): boolean;
}

/** Guards the output of the runs of one runner. */
export interface OutputGuard {
  begin(run: GuardedRun): void;
  /** A reader has read up to `reading` and is present for `forMs` milliseconds. */
  heed(run: string, reading: Reading, forMs: number): void;
  /** The run has been asked to end and must be able to: it is continued and never held again. */
  letGo(run: string): void;
  /** Checks all runs once. */
  look(): void;
  /** Forgets an ended run; reports whether the disk was full at any time. */
  end(run: string): { readonly diskWasFull?: true };
  /** Continues every held run and forgets all. */
  close(): void;
}

interface Watched extends GuardedRun {
  written: number;
  read: number;
  readerUntil: number;
  isHeld: boolean;
  isReported: boolean;
  /** It is to end and is not held any more. */
  isLetGo: boolean;
  /** Since when it has been over its limit, by the clock. */
  overSince: number | undefined;
  diskWasFull: boolean;
  timer: Subscription | undefined;
}

const HELD_MARK = 'paused';
/** With less free space than this the disk counts as full: not even one page can be written. */
const PAGE_BYTES = 4096;
/**
 * First checks of a new run, so that a fast writer is noticed before the regular ones; it is then checked more often.
 */
const FIRST_LOOKS_MS: readonly number[] = [20, 30, 50];
const FAST_BYTES: number = 4 * 1024 ** 2;
const FAST_LOOK_MS = 20;

/** Creates the guard; `tell` is called once for each run that must be ended, with the reason. */
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
    const isRead = clock.now() < one.readerUntil && !one.hasNamespace;
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
    // A reported run is released by whoever ends it.
    if (one.isReported) return;
    if ('hold' in verdict && !one.isLetGo) hold(one);
    else if (one.isHeld) release(one);
    if (grown > FAST_BYTES) later(one, [FAST_LOOK_MS]);
  }

  function report(one: Watched, reason: string): void {
    // It keeps writing until it is ended, and whenever somebody continues it: hold it again each time it has grown.
    if (!one.hasNamespace && !one.isLetGo) hold(one);
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
        // All are below one state directory, so one measurement serves all.
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

/** Stops the command and its descendants; repeated on each check, because somebody may have continued it. */
function hold(one: Watched): void {
  try {
    writeFileSync(join(one.directory, HELD_MARK), '');
  } catch {
    // Without the marker file, a node crash would leave the run stopped until its lease ends; not holding it is
    // better.
    return;
  }
  one.isHeld = true;
  // The second round catches processes that were being forked during the first.
  for (let round = 0; round < 2; round += 1) signalCommand(one, 'SIGSTOP');
}

/**
 * Continues a held run. When that fails it is retried on the next check: the watchdog is in doubt, or no descriptor
 * is left to find the processes.
 */
function release(one: Watched): void {
  if (one.isDoubted() || !signalCommand(one, 'SIGCONT')) return;
  try {
    rmSync(join(one.directory, HELD_MARK), { force: true });
  } catch {
    // With a leftover marker file the next node process continues it once more, which is harmless.
  }
  one.isHeld = false;
}

/** Signals the run's processes, except those that guard a run of an older version; false without a process table. */
function signalCommand({ leader }: Watched, signal: 'SIGSTOP' | 'SIGCONT'): boolean {
  const table = tryReadProcessTable();
  for (const row of table) {
    const isOfRun = row.session === leader || row.group === leader;
    if (isOfRun && !row.zombie && !isLegacyGuard(row.pid)) signalProcess(row.pid, signal);
  }
  return table.length > 0;
}

function measure(directory: string): number {
  return sizeOf(join(directory, 'stdout')) + sizeOf(join(directory, 'stderr'));
}

/** A file made inaccessible by the job or a failing disk counts as empty. */
function sizeOf(file: string): number {
  try {
    return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
}
