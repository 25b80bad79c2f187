/**
 * Nothing runs twice at the same time. This is checked when a process starts, and again when a machine that was paused
 * or suspended has had time to learn what happened meanwhile.
 */
import { WATCHDOG_STEP_MS } from '../parts/sim-watchdog.js';
import type { SimMachine } from '../parts/sim-machine.js';
import type { SimProcess } from '../parts/sim-process.js';

/** What the checks observe. */
export interface TwiceCheckDeps {
  now(): number;
  machines(): readonly SimMachine[];
  report(promise: string, detail: string): void;
}

/** The checks of one simulation. */
export interface TwiceChecks {
  /** A process started on a machine, or continued. */
  started(process: SimProcess, own: SimMachine): void;
  checkRunning(): void;
  /** To be called {@link WAKE_GRACE_MS} after a machine woke up. */
  machineWoke(machine: SimMachine): void;
}

/** Within this time after a machine woke up its watchdogs check their deadlines, ms. */
export const WAKE_GRACE_MS: number = WATCHDOG_STEP_MS + 500;

/** After a pause, a machine that hears nothing needs a whole lease and its watchdog's interval, ms. */
export const PAUSE_GRACE_MS = 14_000;

/** Creates the checks. They report broken promises through `deps.report`. */
export function createTwiceChecks(deps: TwiceCheckDeps): TwiceChecks {
  const { report } = deps;

  const isInPauseGrace = (machine: SimMachine): boolean => deps.now() - machine.resumedAt <= PAUSE_GRACE_MS;

  function checkOthers(process: SimProcess, machine: SimMachine, own: SimMachine): void {
    // After its hypervisor paused it, a machine cannot know that a lease is over until it is told or its own clock gets
    // there.
    if (isInPauseGrace(machine) || isInPauseGrace(own)) return;
    // A suspended machine executes nothing, and one that just woke up needs time to check its deadlines (see the
    // limits).
    if (machine.suspended || deps.now() - machine.wokeAt <= WAKE_GRACE_MS) return;
    const item = itemOf(workOf(process.run));
    for (const other of machine.processes.values()) {
      if (other === process || other.state !== 'alive' || other.stopped) continue;
      if (itemOf(workOf(other.run)) !== item) continue;
      report('nothing runs twice at the same time', `${process.execution} ran while ${other.execution} did`);
    }
  }

  /** What other machines started during its sleep must not run at the same time as what continues here. */
  function machineWoke(machine: SimMachine): void {
    if (machine.suspended || deps.now() - machine.wokeAt < WAKE_GRACE_MS) return;
    for (const process of machine.processes.values()) {
      if (process.state !== 'alive' || process.stopped) continue;
      for (const other of deps.machines()) checkOthers(process, other, machine);
    }
  }

  function checkRunning(): void {
    for (const machine of deps.machines()) {
      for (const process of machine.processes.values()) {
        if (process.state !== 'alive' || process.stopped || machine.suspended) continue;
        for (const other of deps.machines()) checkOthers(process, other, machine);
      }
    }
  }

  return {
    started: (process, own) => {
      for (const other of deps.machines()) checkOthers(process, other, own);
    },
    checkRunning,
    machineWoke,
  };
}

/** The `<owner>/<item>` of a run. */
export function workOf(run: string): string {
  const [owner = '', item = ''] = run.split('/');
  return `${owner}/${item}`;
}

/** The item of `<owner>/<item>`. Item ids are unique across owners. */
export function itemOf(work: string): string {
  return work.slice(work.indexOf('/') + 1);
}
