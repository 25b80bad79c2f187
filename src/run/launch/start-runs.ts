/**
 * Starts runs: plain ones at once, freezable ones and copies once criu has been checked or the restore planned. It
 * hands each run with its launcher to the watch, or reports why it failed. It must never start a run twice.
 */
import type { Checkpoint, RestorePlan } from '../../checkpoint/checkpoint.js';
import type { Clock } from '../../clock/clock.js';
import { NAMESPACE_FILES } from '../freeze/pid-namespace.js';
import type { Launched, LauncherPool } from './launcher-pool.js';
import type { Launcher } from './launcher.js';
import { awaitRestored } from '../freeze/await-restored.js';
import {
  describeUnprepared,
  openRunDirectory,
  writeLaunchScript,
  writeRestoreScript,
  type PreparedLaunch,
  type Timing,
} from '../directory/run-directory.js';
import type { LiveRun, RunWatch } from '../run-watch.js';
import type { RunEvent, RunHandle, StartRequest } from '../runner.js';
import type { SpareDirectory } from '../directory/spare-directory.js';

/** Dependencies of the starter. */
export interface StartRunsDeps {
  readonly clock: Clock;
  readonly checkpoint: Checkpoint | undefined;
  readonly pad: LauncherPool;
  readonly spare: SpareDirectory | undefined;
  readonly watch: RunWatch;
  /** Emits an event after the current call has returned, unless the runner was closed. */
  tellLater(event: RunEvent): void;
  isClosed(): boolean;
}

/** Starts the runs of one runner. */
export interface RunStarts {
  start(order: StartRequest): void;
  /** Cancels a start that is still waiting; false when there is none. */
  cancel(run: string): boolean;
  /** Extends the deadline of a run that is about to start by `guardMs` from now. */
  extend(run: string, guardMs: number): void;
}

/** A start that is waiting for criu or a launcher. */
interface Waiting {
  isCancelled: boolean;
  /** Extensions received meanwhile: by how many milliseconds, and when by the clock. */
  readonly extensions: { readonly guardMs: number; readonly at: number }[];
}

/** The reason given when nothing can be frozen or restored, because there is no checkpoint adapter. */
export const NO_CHECKPOINT = 'this node cannot freeze or restore processes';

type WriteOrder = (handle: RunHandle) => PreparedLaunch;

/** Creates the starter of one runner. */
export function createRunStarts(parts: StartRunsDeps): RunStarts {
  const { clock, checkpoint, pad, spare, watch, tellLater } = parts;
  const waiting = new Map<string, Waiting>();
  const fail = (run: string, reason: string): void => tellLater({ type: 'RunFailed', run, reason });

  function start(order: StartRequest): void {
    const { run, directory, command, restore } = order;
    const refusal =
      watch.runs.has(run) || waiting.has(run)
        ? 'it runs already'
        : attempt(() => openRunDirectory(directory, restore === true ? undefined : spare));
    if (refusal !== undefined) return fail(run, refusal);
    // The lease counts from here, whatever has to be found out first.
    const timing = { clock, since: clock.now(), doubted: () => tellLater({ type: 'RunDoubted', run }) };
    if (restore === true) return prepareCopy(order, timing);
    const startAs = (hasNamespace: boolean, launcher: Launched): void =>
      void launch(order, launcher, (handle) => writeLaunchScript(order, handle, timing, hasNamespace));
    const go = hold(run);
    const startPlain = (): void => pad.take((launcher) => go(() => startAs(false, launcher), launcher));
    if (command.migrate !== 'checkpoint' || checkpoint === undefined) return startPlain();
    checkpoint.capabilities(({ usable }) => {
      // Where nothing can be frozen it is run as a plain one.
      if (usable) pad.takeClean((launcher) => go(() => startAs(true, launcher), launcher));
      else startPlain();
    });
  }

  function prepareCopy(order: StartRequest, timing: Timing): void {
    const { run, directory } = order;
    if (checkpoint === undefined) return fail(run, NO_CHECKPOINT);
    const go = hold(run);
    checkpoint.plan(directory, `${directory}/${NAMESPACE_FILES.restored}`, (plan) => {
      if (!('argv' in plan)) return go(() => fail(run, plan.reason));
      pad.takeClean((launcher) => go(() => restoreCopy(order, launcher, timing, plan), launcher));
    });
  }

  function restoreCopy(order: StartRequest, launcher: Launched, timing: Timing, plan: RestorePlan): void {
    const live = launch(order, launcher, (handle) => writeRestoreScript(order, handle, timing, plan));
    if (live !== undefined) awaitRestored(clock, watch, live, plan.imageBytes, tellLater);
  }

  /**
   * Registers a waiting start and returns its `go`, which starts nothing when the run was cancelled or the runner
   * closed.
   */
  function hold(run: string): (work: () => void, launcher?: Launched) => void {
    const held: Waiting = { isCancelled: false, extensions: [] };
    waiting.set(run, held);
    return (work, launcher) => {
      waiting.delete(run);
      if ((parts.isClosed() || held.isCancelled) && launcher !== undefined && 'handle' in launcher) launcher.dismiss();
      if (parts.isClosed()) return;
      if (held.isCancelled) return fail(run, 'stopped before it was started');
      work();
      const live = watch.runs.get(run);
      for (const { guardMs, at } of held.extensions) live?.deadline.extend(guardMs - (clock.now() - at));
    };
  }

  /** Releases a launcher with its launch script. */
  function launch(
    { run, directory, restore }: StartRequest,
    launcher: Launched,
    write: WriteOrder,
  ): LiveRun | undefined {
    if ('reason' in launcher) {
      fail(run, launcher.reason);
      return undefined;
    }
    let live: LiveRun | undefined;
    const fault = attempt(() => {
      live = sendOff(run, directory, launcher, write);
      return undefined;
    });
    if (fault === undefined) {
      if (restore !== true) tellLater({ type: 'RunStarted', run, handle: launcher.handle });
      return live;
    }
    launcher.dismiss();
    fail(run, fault);
    return undefined;
  }

  function sendOff(run: string, directory: string, launcher: Launcher, write: WriteOrder): LiveRun {
    const live = watch.follow(run, directory, launcher.handle, write(launcher.handle), false);
    launcher.onEnd(
      (signal) => watch.settle(live, `its launcher was ended by ${signal ?? 'an error'}`),
      () => watch.adopt(live),
    );
    launcher.go(directory);
    return live;
  }

  return {
    start,
    cancel: (run) => {
      const held = waiting.get(run);
      if (held !== undefined) held.isCancelled = true;
      return held !== undefined;
    },
    extend: (run, guardMs) => waiting.get(run)?.extensions.push({ guardMs, at: clock.now() }),
  };
}

/** Runs `work`; returns its refusal, or its error as a sentence. */
function attempt(work: () => string | undefined): string | undefined {
  try {
    return work();
  } catch (error) {
    return describeUnprepared(error);
  }
}
