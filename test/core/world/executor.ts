/**
 * The machines' processes: they outlive the node that started them, and their guardian ends them when its deadline passes.
 * It also holds the promises about them: never two at once, a `once` item never twice.
 */
import type { Timeline } from './timeline.js';

/** How a process ended. */
export type Ending = 'exited' | 'stopped';

export interface Executor {
  /** Starts a process; gives what is wrong with that. */
  start(node: string, guest: string, runMs: number, guardMs: number): void;
  extend(guest: string, guardMs: number): void;
  stop(guest: string, afterMs: number): void;
  /** `undefined`: it never started. */
  look(guest: string): 'lives' | Ending | undefined;
  readonly starts: number;
  countLive(): number;
  readonly violations: readonly string[];
}

interface Process {
  readonly node: string;
  deadline: number;
  state: 'lives' | Ending;
}

/** Makes machines on which nothing runs; `ended` is told when a process ends. */
export function createExecutor(
  timeline: Timeline,
  isOnce: boolean,
  ended: (node: string, guest: string, ending: Ending) => void,
): Executor {
  const processes = new Map<string, Process>();
  const violations: string[] = [];
  let starts = 0;

  function end(guest: string, ending: Ending): void {
    const process = processes.get(guest);
    if (process?.state !== 'lives') return;
    process.state = ending;
    ended(process.node, guest, ending);
  }

  function guard(guest: string): void {
    const process = processes.get(guest);
    if (process?.state !== 'lives') return;
    const leftMs = process.deadline - timeline.now();
    if (leftMs <= 0) end(guest, 'stopped');
    else timeline.after(leftMs, () => guard(guest));
  }

  function start(node: string, guest: string, runMs: number, guardMs: number): void {
    starts += 1;
    for (const [other, process] of processes) {
      if (process.state === 'lives')
        violations.push(`${guest} at ${node} began at ${timeline.now()} while ${other} ran at ${process.node}`);
    }
    if (isOnce && starts > 1) violations.push(`a once item began for the ${starts}. time, as ${guest}`);
    processes.set(guest, { node, deadline: timeline.now() + guardMs, state: 'lives' });
    timeline.after(runMs, () => end(guest, 'exited'));
    guard(guest);
  }

  return {
    start,
    extend: (guest, guardMs) => {
      const process = processes.get(guest);
      if (process !== undefined) process.deadline = Math.max(process.deadline, timeline.now() + guardMs);
    },
    stop: (guest, afterMs) => timeline.after(afterMs, () => end(guest, 'stopped')),
    look: (guest) => processes.get(guest)?.state,
    get starts() {
      return starts;
    },
    countLive: () => [...processes.values()].filter((one) => one.state === 'lives').length,
    violations,
  };
}
