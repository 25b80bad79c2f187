/**
 * The adapter of the Runner port: runs commands as processes of this machine, each behind a launcher of its own (see
 * launcher.ts), and finds those of an earlier life again. It decides nothing about items or leases.
 */
import { Subject } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { GUARD_NEVER, readDeadline, readGuardClock } from './guard-clock.js';
import { createLaunchPad } from './launch-pad.js';
import type { Launcher } from './launcher.js';
import { forbidStart, openRunDirectory, readOrderHead, writeOrder } from './run-directory.js';
import { isOfThisBoot } from './process-table.js';
import { createRunWatch, extendRun, isAlive } from './run-watch.js';
import type { RunEvent, RunHandle, Runner, RunOrder } from './runner.js';
import { listMembers } from './session.js';
import { createSpareDirectory } from './spare-directory.js';

/** What a process runner needs. */
export interface ProcessRunnerOptions {
  readonly clock: Clock;
  /** Absolute directory of the runner's own, on the file system of the runs, for the next run's directory. */
  readonly spares?: string | undefined;
}

/** Creates the runner of this machine's processes. Events come after the call that caused them has returned. */
export function createProcessRunner({ clock, spares }: ProcessRunnerOptions): Runner {
  const events = new Subject<RunEvent>();
  const tell = (event: RunEvent): void => events.next(event);
  const pad = createLaunchPad(clock.scheduler, process.env['PATH']);
  const watch = createRunWatch(clock, tell);
  const spare = spares === undefined ? undefined : createSpareDirectory(spares, clock.scheduler);
  let isClosed = false;

  const later = (work: () => void): void => queueMicrotask(() => (isClosed ? undefined : work()));
  const fail = (run: string, reason: string): void => later(() => tell({ type: 'RunFailed', run, reason }));

  const start = (order: RunOrder): void => {
    const { run, directory, restore } = order;
    if (restore === true) return fail(run, NO_CHECKPOINT);
    const refusal = watch.runs.has(run) ? 'it runs already' : attempt(() => openRunDirectory(directory, spare));
    if (refusal !== undefined) return fail(run, refusal);
    const launcher = pad.take();
    if ('reason' in launcher) return fail(run, launcher.reason);
    const fault = attempt(() => launch(order, launcher));
    if (fault === undefined) return;
    launcher.dismiss();
    fail(run, fault);
  };

  const launch = (order: RunOrder, launcher: Launcher): undefined => {
    const { run, directory } = order;
    const { handle } = launcher;
    const prepared = writeOrder(order, handle, readGuardClock());
    const live = watch.follow(run, directory, handle, prepared, false);
    launcher.onEnd(
      (signal) => watch.settle(live, `its launcher was ended by ${signal ?? 'an error'}`),
      () => watch.adopt(live),
    );
    launcher.go(directory);
    later(() => tell({ type: 'RunStarted', run, handle }));
  };

  const adopt = (run: string, directory: string, told: RunHandle | null): void => {
    if (watch.runs.has(run)) return;
    const start = forbidStart(directory);
    // After a power loss the mark of a start may be missing although it started: it is surely over, and no more is known.
    if (start === 'forbidden' && told !== null && !isOfThisBoot(told.start)) {
      return tell({ type: 'RunDied', run, reason: 'the machine was restarted' });
    }
    if (start === 'forbidden' || (start === 'absent' && told === null)) {
      return tell({ type: 'RunFailed', run, reason: 'its launcher never started it' });
    }
    const head = readOrderHead(directory);
    const handle = told ?? head?.handle ?? { pid: 0, start: 'unknown' };
    const prepared = {
      deadline: Math.max(readDeadline(directory), head?.deadline ?? 0),
      limit: head?.limit ?? GUARD_NEVER,
    };
    const live = watch.follow(run, directory, handle, prepared, true);
    if (isAlive(handle)) tell({ type: 'RunStarted', run, handle });
    else watch.settle(live, 'nothing of it was left');
  };

  const extend = (run: string, guardMs: number): void => {
    const live = watch.runs.get(run);
    if (live !== undefined) extendRun(live, guardMs);
  };

  const stop = (run: string, graceMs: number): void => {
    const live = watch.runs.get(run);
    if (live !== undefined) watch.stop(live, graceMs, 'stopped');
  };

  return {
    events$: events.asObservable(),
    start,
    adopt: (run, directory, handle) => later(() => adopt(run, directory, handle)),
    // Both stand behind an `adopt` that was asked for before them: a stop that overtook it would be lost.
    extend: (run, guardMs) => later(() => extend(run, guardMs)),
    stop: (run, graceMs) => later(() => stop(run, graceMs)),
    freeze: (run) => later(() => tell({ type: 'FreezeFailed', run, reason: NO_CHECKPOINT })),
    thaw: (run) => later(() => tell({ type: 'RunThawed', run })),
    take: (run) => fail(run, NO_CHECKPOINT),
    pids: () => {
      const live = [...watch.runs.values()];
      const members = listMembers(live.map(({ handle }) => handle.pid));
      return new Map(live.map(({ run, handle }) => [run, members.get(handle.pid) ?? []]));
    },
    close: () => {
      isClosed = true;
      watch.close();
      pad.close();
      spare?.close();
      events.complete();
    },
  };
}

const NO_CHECKPOINT = 'this node cannot freeze or restore processes';

/** Does what touches the file system; gives its refusal, or the error as a sentence. */
function attempt(work: () => string | undefined): string | undefined {
  try {
    return work();
  } catch (error) {
    return `the run's directory could not be prepared: ${error instanceof Error ? error.message : String(error)}`;
  }
}
