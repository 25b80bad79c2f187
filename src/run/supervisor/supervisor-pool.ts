/**
 * Provides the supervisor of this boot of the node: one is started with the node, and another one on the next use after
 * it was lost. Where the C program does not run, the Node.js one is used.
 */
import type { SchedulerLike, Subscription } from 'rxjs';
import type { SupervisorProgram } from './program-path.js';
import { startSupervisor, supervisorDirectory, type Supervisor } from './supervisor.js';

/** A source of supervisors. */
export interface SupervisorPool {
  /** Calls back with the supervisor: at once if it is ready, else as soon as it is; or with why there is none. */
  take(done: (taken: TakenSupervisor) => void): void;
  /** Lets go of the supervisor, which goes on until its runs have ended, and fails all waiting requests. */
  close(): void;
}

/** A supervisor, or the reason why there is none. */
export type TakenSupervisor = { readonly supervisor: Supervisor } | { readonly reason: string };

/** What the pool works with. */
export interface SupervisorPoolDeps {
  readonly scheduler: SchedulerLike;
  /** Programs to try, best first. */
  readonly programs: readonly SupervisorProgram[];
  /** Absolute directory of the supervisors of this node. */
  readonly place: string;
  /** The highest number in use there. */
  readonly lastNumber: number;
  /** The node's PATH. */
  readonly path: string | undefined;
}

/** How long a start waits for a supervisor, in milliseconds. */
const RAISE_MS = 10_000;

interface Waiting {
  readonly done: (taken: TakenSupervisor) => void;
  readonly timer: Subscription;
}

/** Creates the pool and starts a supervisor. */
export function createSupervisorPool(deps: SupervisorPoolDeps): SupervisorPool {
  const { scheduler, programs, place, path } = deps;
  const waiting = new Set<Waiting>();
  let number = deps.lastNumber;
  let current: Supervisor | undefined;
  let started: { close(): void } | undefined;
  /** Index of the program to try: one that never became ready is not tried again. */
  let choice = 0;
  let isClosed = false;

  function begin(): void {
    const program = programs[choice];
    if (program === undefined || started !== undefined || isClosed) return;
    number += 1;
    let wasReady = false;
    started = startSupervisor(program, supervisorDirectory(place, number), path, {
      ready: (supervisor) => {
        wasReady = true;
        current = supervisor;
        for (const one of waiting) answer(one, { supervisor });
      },
      lost: (reason) => {
        current = undefined;
        started = undefined;
        if (!wasReady && choice < programs.length - 1) choice += 1;
        else if (!wasReady) return failAll(`the supervisor could not be started: ${reason}`);
        if (waiting.size > 0) begin();
      },
    });
  }

  function answer(one: Waiting, taken: TakenSupervisor): void {
    waiting.delete(one);
    one.timer.unsubscribe();
    one.done(taken);
  }

  function failAll(reason: string): void {
    for (const one of waiting) answer(one, { reason });
  }

  begin();
  return {
    take: (done) => {
      if (current !== undefined) return done({ supervisor: current });
      if (isClosed) return done({ reason: STOPPED });
      const timer = scheduler.schedule(() => answer(one, { reason: 'the supervisor did not start in time' }), RAISE_MS);
      const one: Waiting = { done, timer };
      waiting.add(one);
      begin();
    },
    close: () => {
      isClosed = true;
      started?.close();
      failAll(STOPPED);
    },
  };
}

const STOPPED = 'the node was stopped';
