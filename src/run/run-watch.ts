/**
 * Watches the runs that one runner answers for: tells their output, holds their wall-clock limit, stops them, and says how
 * they ended. It never says that a run ended while something of its process group lives.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { interval, type Subscription } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { BOX_FILES, type BoxHead } from './box.js';
import { addGuardTime, GUARD_NEVER, readGuardClock, writeDeadline } from './guard-clock.js';
import { createOutputTail, type OutputTail } from './output-tail.js';
import { readStart } from './process-table.js';
import { appendNotice, measureRun, readRemains, WALL_GRACE_MS, type Prepared } from './run-directory.js';
import { signalCommand, terminateRun } from './run-signals.js';
import type { RunEvent, RunHandle, SaveRequest } from './runner.js';
import { isGroupGone, killSession, listMembers, listOrphans } from './session.js';

/** A run that is watched. */
export interface LiveRun {
  readonly run: string;
  readonly directory: string;
  readonly handle: RunHandle;
  /** Of a run that can be frozen. */
  readonly box: BoxHead | undefined;
  /** It was started by an earlier life of the node or of its nursery: its end is seen by looking, not told by the system. */
  isAdopted: boolean;
  readonly tail: OutputTail;
  /** `clock.now()` when it was started or adopted, and when its wall-clock limit comes. */
  readonly since: number;
  readonly wallAt: number;
  /** Reading of the guard clock at which the guardian ends it. */
  deadline: number;
  /** The deadline that it was given; written with the next look. */
  wanted: number;
  /** Why it is being stopped, for people. */
  stopReason: string | undefined;
  /** It was asked to save its work and end. */
  isAsked: boolean;
  killTimer: Subscription | undefined;
  /** The launcher has ended; only leftovers of its session are waited for. */
  isEnding: boolean;
}

/** The runs of one runner. */
export interface RunWatch {
  readonly runs: ReadonlyMap<string, LiveRun>;
  /** Begins to watch a run. */
  follow(run: string, directory: string, handle: RunHandle, prepared: Prepared, isAdopted: boolean): LiveRun;
  /** Nobody will tell when its launcher ends: it is looked for from now on. */
  adopt(live: LiveRun): void;
  /** Asks the command to end by itself; calls `then` when it has not within the time, and drops that when it is stopped. */
  ask(live: LiveRun, request: SaveRequest, then: () => void): void;
  /** Stops a run: SIGTERM to its session, SIGKILL after `graceMs` (0: at once, as for one that is still). */
  stop(live: LiveRun, graceMs: number, reason: string): void;
  /** The launcher has ended: ends what is left of its session, and tells how the run ended once nothing is. */
  settle(live: LiveRun, reason: string): void;
  /** Lets go of all runs. */
  close(): void;
}

/** How often output, limits and adopted runs are looked at. */
const LOOK_MS = 200;
/** A guardian that is due within this time hears of its new deadline at once; several looks long. */
const NEAR_MS = 2000;
/** How soon to look again whether the last processes of an ended run are gone, and how seldom at most. */
const SETTLE_MS = 10;
const SETTLE_MS_MAX = 1000;
/**
 * A run shorter than this is not searched for processes that left its group but not its session: looking at all
 * processes takes milliseconds.
 */
const SHORT_RUN_MS = 500;
/** Longest delay that timers take; a longer grace is cut to it. */
const DELAY_MS_MAX: number = 2 ** 31 - 1;

/** What a watch is made of. */
export interface RunWatchParts {
  readonly clock: Clock;
  tell(event: RunEvent): void;
  /** Whether a run is stopped on purpose; it must not be continued so that it hears a signal. */
  isStill(live: LiveRun): boolean;
  /** Why a copy could not be restored. */
  explain(directory: string): string;
  /** Removes what a copy needed and nobody uses any more. */
  clean(directory: string): void;
}

/** Creates the watch of a runner. */
export function createRunWatch({ clock, tell, isStill, explain, clean }: RunWatchParts): RunWatch {
  const runs = new Map<string, LiveRun>();
  let looks: Subscription | undefined;

  const tellOutput = (live: LiveRun, isLast: boolean): void => {
    for (const output of live.tail.read(clock.now(), isLast)) tell({ type: 'RunOutput', run: live.run, ...output });
  };

  const look = (live: LiveRun): void => {
    if (live.isEnding) return;
    tellOutput(live, false);
    moveDeadline(live);
    if (live.isAdopted && !isAlive(live.handle)) return settle(live, LAUNCHER_GONE);
    if (clock.now() < live.wallAt || live.stopReason !== undefined) return;
    appendNotice(live.directory, 'wall-clock limit');
    stop(live, WALL_GRACE_MS, 'wall-clock limit');
  };

  const lookAtAll = (): void => {
    for (const live of runs.values()) look(live);
  };

  const stop = (live: LiveRun, graceMs: number, reason: string): void => {
    if (live.isEnding) return;
    if (live.isAdopted && !isAlive(live.handle)) return settle(live, LAUNCHER_GONE);
    const isFirst = live.stopReason === undefined;
    live.stopReason ??= reason;
    live.killTimer?.unsubscribe();
    if (graceMs <= 0 || isStill(live)) return killSession(live.handle.pid);
    if (isFirst) terminateRun(live);
    live.killTimer = clock.scheduler.schedule(() => stop(live, 0, reason), Math.min(graceMs, DELAY_MS_MAX));
  };

  const ask = (live: LiveRun, { signal, saveMs }: SaveRequest, then: () => void): void => {
    if (live.isEnding || live.isAsked || live.stopReason !== undefined) return;
    if (isStill(live)) return then();
    live.isAsked = true;
    signalCommand(live, signal);
    live.killTimer = clock.scheduler.schedule(then, Math.min(saveMs, DELAY_MS_MAX));
  };

  const settle = (live: LiveRun, reason: string, waitMs: number = SETTLE_MS): void => {
    if (runs.get(live.run) !== live) return;
    live.isEnding = true;
    live.killTimer?.unsubscribe();
    if (!isDeserted(live, clock.now())) {
      killSession(live.handle.pid);
      clock.scheduler.schedule(() => settle(live, reason, Math.min(2 * waitMs, SETTLE_MS_MAX)), waitMs);
      return;
    }
    tellOutput(live, true);
    runs.delete(live.run);
    if (live.box?.kind === 'restored') clean(live.directory);
    if (runs.size === 0) stopLooking();
    tell(concludeRun(live, live.stopReason ?? reason, clock.now() - live.since, explain));
  };

  const stopLooking = (): void => {
    looks?.unsubscribe();
    looks = undefined;
  };

  return {
    runs,
    follow: (run, directory, handle, { deadline, limit, box }, isAdopted) => {
      const since = clock.now();
      const live: LiveRun = {
        run,
        directory,
        handle,
        box,
        isAdopted,
        tail: createOutputTail(directory),
        since,
        wallAt: since + measureWall(limit),
        deadline,
        wanted: deadline,
        stopReason: undefined,
        isAsked: false,
        killTimer: undefined,
        isEnding: false,
      };
      runs.set(run, live);
      looks ??= interval(LOOK_MS, clock.scheduler).subscribe(lookAtAll);
      return live;
    },
    adopt: (live) => {
      live.isAdopted = true;
    },
    ask,
    stop,
    settle: (live, reason) => settle(live, reason),
    close: () => {
      stopLooking();
      for (const live of runs.values()) {
        live.killTimer?.unsubscribe();
        moveDeadline(live);
      }
      runs.clear();
    },
  };
}

/**
 * Gives the guardian of a run `guardMs` from now; an earlier deadline changes nothing. It is written with the next look, because
 * most runs end before it and making a file is dear, but at once when the old deadline is near.
 */
export function extendRun(live: LiveRun, guardMs: number): void {
  const reading = readGuardClock();
  live.wanted = Math.max(live.wanted, addGuardTime(reading, guardMs));
  if (live.deadline < addGuardTime(reading, NEAR_MS)) moveDeadline(live);
}

function moveDeadline(live: LiveRun): void {
  if (live.wanted <= live.deadline) return;
  try {
    writeDeadline(live.directory, live.wanted);
    live.deadline = live.wanted;
  } catch {
    // The guardian then ends the run at its old deadline, which is the safe side.
  }
}

/** Whether the very process of a handle lives. */
export function isAlive({ pid, start }: RunHandle): boolean {
  return pid > 1 && readStart(pid) === start;
}

const LAUNCHER_GONE = 'its launcher is gone';

function isDeserted({ handle, directory, isAdopted, since }: LiveRun, now: number): boolean {
  if (isAdopted) return listOrphans(handle.pid, directory).length === 0;
  if (now - since < SHORT_RUN_MS && isGroupGone(handle.pid)) return true;
  return listMembers([handle.pid]).get(handle.pid)?.length === 0;
}

/** Reads how a run ended. The guardian's word stands above an exit code that its own signal made. */
function concludeRun(
  { run, directory, isAdopted, stopReason, box }: LiveRun,
  reason: string,
  lifeMs: number,
  explain: (directory: string) => string,
): RunEvent {
  const { isStarted, exit, ended } = readRemains(directory);
  if (box?.kind === 'restored' && !existsSync(join(directory, BOX_FILES.restored)))
    return { type: 'RunFailed', run, reason: stopReason ?? ended ?? explain(directory) };
  if (!isStarted && !isAdopted && stopReason === undefined) return { type: 'RunFailed', run, reason };
  if (ended !== undefined) return { type: 'RunDied', run, reason: ended };
  if (exit === undefined) return { type: 'RunDied', run, reason };
  const cpuS = exit.cpuS + (box?.cpuS ?? 0);
  const runMs = (isAdopted ? measureRun(directory) : lifeMs) + (box?.wallMs ?? 0);
  return { type: 'RunExited', run, ...exit, cpuS, runMs };
}

/** Milliseconds until the node ends a run at its wall-clock limit; the guardian's limit comes two graces later. */
function measureWall(limit: number): number {
  return limit === GUARD_NEVER ? Infinity : (limit - readGuardClock()) * 10 - 2 * WALL_GRACE_MS;
}
