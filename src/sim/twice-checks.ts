/**
 * Nothing runs twice at the same time: looked at when a process starts, and again once a machine that stood still or slept has had its
 * time to learn what happened meanwhile.
 */
import { GUARDIAN_STEP_MS } from './sim-guardian.js';
import type { SimMachine } from './sim-machine.js';
import type { SimProcess } from './sim-process.js';

/** What the checks look at. */
export interface TwiceParts {
  now(): number;
  machines(): readonly SimMachine[];
  report(promise: string, detail: string): void;
}

/** The checks. */
export interface TwiceChecks {
  /** A process lives on a machine. */
  started(process: SimProcess, own: SimMachine): void;
  lookAgain(): void;
  /** To be called {@link WAKE_GRACE_MS} after a machine woke. */
  woken(machine: SimMachine): void;
}

/** After a machine woke: its guardians look within this time. */
export const WAKE_GRACE_MS: number = GUARDIAN_STEP_MS + 500;

/** After a pause: a whole lease and what its guardian needs, for one that hears nothing. */
export const PAUSE_GRACE_MS = 14_000;

/** Makes the checks. */
export function createTwiceChecks(parts: TwiceParts): TwiceChecks {
  const { report } = parts;

  const isOutOfTime = (machine: SimMachine): boolean => parts.now() - machine.resumedAt <= PAUSE_GRACE_MS;

  function checkOthers(process: SimProcess, machine: SimMachine, own: SimMachine): void {
    // Nothing on a machine that its hypervisor had stopped can know that its lease is over, until it is told or its own clock says so.
    if (isOutOfTime(machine) || isOutOfTime(own)) return;
    // What sleeps does not execute; a machine that just woke gives its guardians a moment to look (see the limits).
    if (machine.suspended || parts.now() - machine.wokeAt <= WAKE_GRACE_MS) return;
    const item = itemOf(splitRun(process.run));
    for (const other of machine.processes.values()) {
      if (other === process || other.state !== 'lives' || other.stopped) continue;
      if (itemOf(splitRun(other.run)) !== item) continue;
      report('nothing runs twice at the same time', `${process.execution} ran while ${other.execution} did`);
    }
  }

  /** What others started while it slept may not run beside what goes on here. */
  function woken(machine: SimMachine): void {
    if (machine.suspended || parts.now() - machine.wokeAt < WAKE_GRACE_MS) return;
    for (const process of machine.processes.values()) {
      if (process.state !== 'lives' || process.stopped) continue;
      for (const other of parts.machines()) checkOthers(process, other, machine);
    }
  }

  function lookAgain(): void {
    for (const machine of parts.machines()) {
      for (const process of machine.processes.values()) {
        if (process.state !== 'lives' || process.stopped || machine.suspended) continue;
        for (const other of parts.machines()) checkOthers(process, other, machine);
      }
    }
  }

  return {
    started: (process, own) => {
      for (const other of parts.machines()) checkOthers(process, other, own);
    },
    lookAgain,
    woken,
  };
}

/** `<owner>/<item>` of a run. */
export function splitRun(run: string): string {
  const [owner = '', item = ''] = run.split('/');
  return `${owner}/${item}`;
}

/** The item of `<owner>/<item>`: no two have the same, whoever owns them. */
export function itemOf(work: string): string {
  return work.slice(work.indexOf('/') + 1);
}
