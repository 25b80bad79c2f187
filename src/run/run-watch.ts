/**
 * Watches the runs of one runner: reports their output, enforces their wall-clock limit, stops them, and reports how
 * they ended. It must never report an end while any process of the group is alive.
 */
import { interval, type Subscription } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { LOOK_MS } from './watchdog/deadline.js';
import { endLeftBehind } from './processes/end-left-behind.js';
import type { OutputGuard } from './output/output-guard.js';
import { createOutputTail } from './output/output-tail.js';
import { concludeRun } from './directory/run-conclusion.js';
import { appendNotice, WALL_GRACE_MS } from './directory/run-directory.js';
import { signalCommand, terminateRun } from './processes/run-signals.js';
import type { FollowedRun, LiveRun } from './live-run.js';
import type { RunEvent, SaveRequest } from './runner.js';
import { isDeserted, killSession } from './processes/session.js';

/** Watches the runs of one runner. */
export interface RunWatch {
  readonly runs: ReadonlyMap<string, LiveRun>;
  /** Starts watching a run. */
  follow(started: FollowedRun): LiveRun;
  /** Forgets a run whose adoption failed halfway. */
  forget(run: string): void;
  /** Nobody will report its end: look for it from now on. */
  adopt(live: LiveRun): void;
  /** Asks the command to exit; calls `then` if it has not within the time, unless the run is stopped first. */
  ask(live: LiveRun, request: SaveRequest, then: () => void): void;
  /** Stops a run: SIGTERM to its session, SIGKILL after `graceMs` (0, or a run that is frozen: SIGKILL at once). */
  stop(live: LiveRun, graceMs: number, reason: string): void;
  /** Its leader has ended: kills what is left of its session, and reports the end once nothing is. */
  settle(live: LiveRun, reason: string): void;
  /** Detaches from all runs. */
  close(): void;
}

/** First and longest pause between checks for the last processes of an ended run. */
const SETTLE_MS = 10;
const SETTLE_MS_MAX = 1000;
/**
 * Runs shorter than this are not searched for processes that left the group but not the session, which takes
 * milliseconds.
 */
const SHORT_RUN_MS = 500;
/** Longest delay that timers accept; a longer grace is capped. */
const DELAY_MS_MAX: number = 2 ** 31 - 1;

/** Dependencies of a watch. */
export interface RunWatchDeps {
  readonly clock: Clock;
  tell(event: RunEvent): void;
  /** Whether a run is stopped on purpose and must not be continued just to receive a signal. */
  isStill(live: LiveRun): boolean;
  /** Why a copy could not be restored. */
  explain(directory: string): string;
  /** Removes resources of a copy that are no longer needed. */
  clean(directory: string): void;
  readonly output: OutputGuard;
}

/** Creates the watch of one runner. */
export function createRunWatch({ clock, tell, isStill, explain, clean, output }: RunWatchDeps): RunWatch {
  const runs = new Map<string, LiveRun>();
  let looks: Subscription | undefined;

  const tellOutput = (live: LiveRun, isLast: boolean): void => {
    for (const news of live.tail.read(clock.now(), isLast)) tell({ type: 'RunOutput', run: live.run, ...news });
  };

  const look = (live: LiveRun): void => {
    if (live.isEnding) return;
    tellOutput(live, false);
    live.deadline.look();
    const over = live.isAdopted ? live.evidence.findEnd() : undefined;
    if (over !== undefined) return settle(live, over);
    if (clock.now() < live.wallAt || live.stopReason !== undefined) return;
    appendNotice(live.directory, 'wall-clock limit');
    stop(live, WALL_GRACE_MS, 'wall-clock limit');
  };

  const lookAtAll = (): void => {
    for (const live of runs.values()) look(live);
    output.look();
  };

  const stop = (live: LiveRun, graceMs: number, reason: string): void => {
    if (live.isEnding) return;
    const over = live.isAdopted ? live.evidence.findEnd() : undefined;
    if (over !== undefined) return settle(live, over);
    const isFirst = live.stopReason === undefined;
    live.stopReason ??= reason;
    live.killTimer?.unsubscribe();
    if (graceMs <= 0 || isStill(live)) return killSession(live.handle.pid);
    // Not before a kill: that needs no continued process.
    output.letGo(live.run);
    if (isFirst) terminateRun(live);
    live.killTimer = clock.scheduler.schedule(() => stop(live, 0, reason), Math.min(graceMs, DELAY_MS_MAX));
  };

  const ask = (live: LiveRun, { signal, saveMs }: SaveRequest, then: () => void): void => {
    if (live.isEnding || live.isAsked || live.stopReason !== undefined) return;
    if (isStill(live)) return then();
    live.isAsked = true;
    output.letGo(live.run);
    signalCommand(live, signal);
    live.killTimer = clock.scheduler.schedule(then, Math.min(saveMs, DELAY_MS_MAX));
  };

  const settle = (live: LiveRun, reason: string, waitMs: number = SETTLE_MS): void => {
    if (runs.get(live.run) !== live) return;
    live.isEnding = true;
    live.killTimer?.unsubscribe();
    const isShort = clock.now() - live.since < SHORT_RUN_MS;
    const end = readEnd(live, isShort, reason);
    if (end === undefined) {
      killSession(live.handle.pid);
      clock.scheduler.schedule(() => settle(live, reason, Math.min(2 * waitMs, SETTLE_MS_MAX)), waitMs);
      return;
    }
    // The kernel ends everything in a pid namespace. During a long run pids may have wrapped around more than once.
    if (live.namespace !== undefined) return conclude(live, end);
    endLeftBehind({ ...live, mark: live.evidence.mark, afterPid: isShort ? live.afterPid : undefined }, clock, () =>
      conclude(live, end),
    );
  };

  const conclude = (live: LiveRun, end: RunEvent): void => {
    if (runs.get(live.run) !== live) return;
    tellOutput(live, true);
    runs.delete(live.run);
    if (live.namespace?.kind === 'restored') clean(live.directory);
    if (runs.size === 0) stopLooking();
    tell({ ...end, ...output.end(live.run) });
  };

  /**
   * How a run ended; `undefined` while one of its processes is alive, or while that cannot be determined (no
   * descriptors left).
   */
  const readEnd = (live: LiveRun, isShort: boolean, reason: string): RunEvent | undefined => {
    try {
      if (!isDeserted(live, isShort)) return undefined;
      return concludeRun(live, live.stopReason ?? reason, clock.now() - live.since, explain);
    } catch {
      return undefined;
    }
  };

  const stopLooking = (): void => {
    looks?.unsubscribe();
    looks = undefined;
  };

  return {
    runs,
    follow: ({ run, directory, handle, prepared, evidence, isAdopted, since, afterPid }) => {
      const { deadline, wallMs, startedAt, namespace } = prepared;
      const live: LiveRun = {
        run,
        directory,
        handle,
        namespace,
        isAdopted,
        evidence,
        tail: createOutputTail(directory),
        since,
        wallAt: since + wallMs,
        startedAt,
        deadline,
        stopReason: undefined,
        isAsked: false,
        killTimer: undefined,
        isEnding: false,
        afterPid,
      };
      runs.set(run, live);
      output.begin({
        run,
        directory,
        leader: handle.pid,
        hasNamespace: namespace !== undefined,
        isDoubted: deadline.isDoubted,
      });
      looks ??= interval(LOOK_MS, clock.scheduler).subscribe(lookAtAll);
      return live;
    },
    forget: (run) => {
      runs.delete(run);
      output.end(run);
      if (runs.size === 0) stopLooking();
    },
    adopt: (live) => {
      live.isAdopted = true;
    },
    ask,
    stop,
    settle: (live, reason) => settle(live, reason),
    close: () => {
      stopLooking();
      output.close();
      for (const live of runs.values()) {
        live.killTimer?.unsubscribe();
        live.deadline.flush();
      }
      runs.clear();
    },
  };
}
