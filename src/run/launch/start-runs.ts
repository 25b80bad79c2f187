/**
 * Starts runs: plain ones at once, freezable ones and copies once criu has been checked or the restore planned. It
 * hands each run to the supervisor and then to the watch, or reports why it failed. It must never start a run twice.
 */
import { join } from 'node:path';
import type { Checkpoint } from '../../checkpoint/checkpoint.js';
import type { Clock } from '../../clock/clock.js';
import { awaitRestored } from '../freeze/await-restored.js';
import { NAMESPACE_FILES } from '../freeze/pid-namespace.js';
import { endUnknown } from '../processes/end-left-behind.js';
import { describeUnprepared, openRunDirectory, type Timing } from '../directory/run-directory.js';
import type { SpareDirectory } from '../directory/spare-directory.js';
import type { LiveRun } from '../live-run.js';
import type { RunWatch } from '../run-watch.js';
import type { RunEvent, StartRequest } from '../runner.js';
import type { SupervisorPool, TakenSupervisor } from '../supervisor/supervisor-pool.js';
import type { Supervisor } from '../supervisor/supervisor.js';
import { composeCopy, composeFreezable, composePlain, type ComposedStart } from './compose-start.js';
import type { ProgramFault } from './find-program.js';
import { sendStart } from './send-start.js';
import { explainFailure, reportFault } from './unstarted.js';

/** Dependencies of the starter. */
export interface StartRunsDeps {
  readonly clock: Clock;
  readonly checkpoint: Checkpoint | undefined;
  readonly supervisors: SupervisorPool;
  readonly spare: SpareDirectory | undefined;
  readonly watch: RunWatch;
  /** Emits an event. */
  tell(event: RunEvent): void;
  /** Emits an event after the current call has returned, unless the runner was closed. */
  tellLater(event: RunEvent): void;
  isClosed(): boolean;
}

/** Starts the runs of one runner. */
export interface RunStarts {
  start(order: StartRequest): void;
  /**
   * Cancels a start that is still waiting, and calls `stop` if it has come to pass all the same; false when there is
   * none.
   */
  cancel(run: string, stop: (live: LiveRun) => void): boolean;
  /** Extends the deadline of a run that is about to start by `guardMs` from now. */
  extend(run: string, guardMs: number): void;
}

/** A start that is waiting for criu or the supervisor. */
interface Waiting {
  /** How to stop it, once that has been asked for. */
  stop: ((live: LiveRun) => void) | undefined;
  /** Extensions received meanwhile: by how many milliseconds, and when by the clock. */
  readonly extensions: { readonly guardMs: number; readonly at: number }[];
}

/** The reason given when nothing can be frozen or restored, because there is no checkpoint adapter. */
export const NO_CHECKPOINT = 'this node cannot freeze or restore processes';

/** A start as it was requested. */
interface Requested {
  readonly order: StartRequest;
  readonly timing: Timing;
  /** Size of the image of a copy; 0 for a command. */
  readonly imageBytes: number;
}

type Send = (compose: Compose, imageBytes?: number) => void;
type Compose = (mark: string) => ComposedStart | { readonly fault: ProgramFault };

/** Creates the starter of one runner. */
export function createRunStarts(parts: StartRunsDeps): RunStarts {
  const { clock, checkpoint, supervisors, spare, watch, tell, tellLater } = parts;
  const waiting = new Map<string, Waiting>();
  const fail = (run: string, reason: string): void => tellLater({ type: 'RunFailed', run, reason });

  function start(order: StartRequest): void {
    const { run, directory, command, restore } = order;
    const refusal =
      watch.runs.has(run) || waiting.has(run)
        ? 'it runs already'
        : attempt(() => openRunDirectory(directory, restore === true, spare));
    if (refusal !== undefined) return fail(run, refusal);
    // The lease counts from here, whatever has to be found out first.
    const timing = { clock, since: clock.now(), doubted: () => tellLater({ type: 'RunDoubted', run }) };
    waiting.set(run, { stop: undefined, extensions: [] });
    const send: Send = (compose, imageBytes = 0) =>
      supervisors.take((taken) => proceed(run, () => sendOff({ order, timing, imageBytes }, taken, compose)));
    if (restore === true) return planCopy(order, send);
    const sendPlain = (): void => send((mark) => composePlain(order, mark));
    if (command.migrate !== 'checkpoint' || checkpoint === undefined) return sendPlain();
    // Where nothing can be frozen it is run as a plain one.
    checkpoint.capabilities(({ usable }) => (usable ? send((mark) => composeFreezable(order, mark)) : sendPlain()));
  }

  function planCopy(order: StartRequest, send: Send): void {
    const { run, directory } = order;
    if (checkpoint === undefined) return giveUp(run, NO_CHECKPOINT);
    checkpoint.plan(directory, join(directory, NAMESPACE_FILES.restored), (plan) => {
      if ('argv' in plan) send((mark) => composeCopy(order, mark, plan), plan.imageBytes);
      else proceed(run, () => giveUp(run, plan.reason));
    });
  }

  /** Goes on with a waiting start, unless it was cancelled or the runner closed. */
  function proceed(run: string, work: () => void): void {
    if (parts.isClosed()) waiting.delete(run);
    else if (waiting.get(run)?.stop !== undefined) giveUp(run, 'stopped before it was started');
    else work();
  }

  function giveUp(run: string, reason: string): void {
    waiting.delete(run);
    fail(run, reason);
  }

  function sendOff(request: Requested, taken: TakenSupervisor, compose: Compose): void {
    const { run } = request.order;
    if (!('supervisor' in taken)) return giveUp(run, taken.reason);
    const fault = attempt(() => {
      sendTo(request, taken.supervisor, compose);
      return undefined;
    });
    if (fault !== undefined) giveUp(run, fault);
  }

  function sendTo({ order, timing, imageBytes }: Requested, supervisor: Supervisor, compose: Compose): void {
    const { run, directory } = order;
    const { id, mark } = supervisor.nextRun();
    const composed = compose(mark);
    if ('fault' in composed) {
      waiting.delete(run);
      return reportFault(order, composed.fault, tellLater);
    }
    const sent = { order, supervisor, timing, composed, id, mark, watch };
    sendStart(sent, {
      started: (live) => begin(order, live, imageBytes),
      failed: (step, error) => {
        waiting.delete(run);
        const failure = explainFailure(order, step, error);
        if ('reason' in failure) tell({ type: 'RunFailed', run, reason: failure.reason });
        else reportFault(order, failure, tell);
      },
      died: (reason) => {
        waiting.delete(run);
        endUnknown({ directory, mark }, clock, () => tell({ type: 'RunDied', run, reason }));
      },
    });
  }

  /** It runs: what was asked meanwhile comes to pass. */
  function begin(order: StartRequest, live: LiveRun, imageBytes: number): void {
    const held = waiting.get(order.run);
    waiting.delete(order.run);
    if (order.restore === true) awaitRestored(clock, watch, live, imageBytes, tell);
    else tell({ type: 'RunStarted', run: live.run, handle: live.handle });
    for (const { guardMs, at } of held?.extensions ?? []) live.deadline.extend(guardMs - (clock.now() - at));
    held?.stop?.(live);
  }

  return {
    start,
    cancel: (run, stop) => {
      const held = waiting.get(run);
      if (held !== undefined) held.stop = stop;
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
