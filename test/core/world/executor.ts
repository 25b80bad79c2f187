/**
 * The processes on all machines. They outlive the node that started them, and their watchdog ends them at its deadline.
 * It also checks the promises about them: never two at once, and a `once` item never twice.
 */
import type { Timeline } from './timeline.js';

/** How a process ended. */
export type Ending = 'exited' | 'stopped';

export interface Executor {
  /** Starts a process, and records a violation if that breaks a promise. */
  start(node: string, guest: string, runMs: number, guardMs: number): void;
  extend(guest: string, guardMs: number): void;
  stop(guest: string, afterMs: number): void;
  /** The state of a process; `undefined` if it was never started. */
  stateOf(guest: string): 'lives' | Ending | undefined;
  readonly starts: number;
  countRunning(): number;
  readonly violations: readonly string[];
}

interface Process {
  readonly node: string;
  deadline: number;
  state: 'lives' | Ending;
}

/** Creates machines without processes. `ended` is called when a process ends. */
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

  function watch(guest: string): void {
    const process = processes.get(guest);
    if (process?.state !== 'lives') return;
    const leftMs = process.deadline - timeline.now();
    if (leftMs <= 0) end(guest, 'stopped');
    else timeline.after(leftMs, () => watch(guest));
  }

  function start(node: string, guest: string, runMs: number, guardMs: number): void {
    starts += 1;
    for (const [other, process] of processes) {
      if (process.state === 'lives')
        violations.push(`${guest} started on ${node} at ${timeline.now()} while ${other} ran on ${process.node}`);
    }
    if (isOnce && starts > 1) violations.push(`a once item was started ${starts} times, now as ${guest}`);
    processes.set(guest, { node, deadline: timeline.now() + guardMs, state: 'lives' });
    timeline.after(runMs, () => end(guest, 'exited'));
    watch(guest);
  }

  return {
    start,
    extend: (guest, guardMs) => {
      const process = processes.get(guest);
      if (process !== undefined) process.deadline = Math.max(process.deadline, timeline.now() + guardMs);
    },
    stop: (guest, afterMs) => timeline.after(afterMs, () => end(guest, 'stopped')),
    stateOf: (guest) => processes.get(guest)?.state,
    get starts() {
      return starts;
    },
    countRunning: () => [...processes.values()].filter((one) => one.state === 'lives').length,
    violations,
  };
}
