/**
 * What outlives a node on a simulated machine: the processes of jobs with their watchdogs, and the files of items and
 * guests. A process continues when the node dies, and ends at its watchdog's deadline. Whatever it writes has its
 * execution's unique name as content.
 */
import type { MachinePower } from './machine-power.js';
import type { Random } from '../plan/random.js';
import { startWatchdog, WATCHDOG_STEP_MS } from './sim-watchdog.js';
import { createSimProcess, type SimImage, type SimProcess } from './sim-process.js';
import type { Timeline } from './timeline.js';

/** A machine's processes and directories. */
export interface SimMachine {
  readonly host: MachinePower;
  readonly processes: ReadonlyMap<string, SimProcess>;
  /** Contents by path: the name of the execution or input that they come from. */
  readonly files: Map<string, string>;
  /** Starts a job that takes `takesMs`; its watchdog ends it after `guardMs` unless the deadline is extended. */
  start(run: string, takesMs: number, guardMs: number, onEnd: (process: SimProcess) => void): SimProcess;
  /** Restores a process from its image, stopped. */
  restore(
    run: string,
    takesMs: number,
    guardMs: number,
    image: SimImage,
    onEnd: (process: SimProcess) => void,
  ): SimProcess;
  /** Stops a process. */
  stop(process: SimProcess): void;
  go(process: SimProcess): void;
  /**
   * Runs `act` after a delay, whether or not a node still runs. While the machine sleeps, it is deferred to the
   * wake-up.
   */
  when(delayMs: number, act: () => void): void;
  kill(run: string): void;
  /** The lid is closed: nothing on the machine executes. */
  suspend(): void;
  /** The lid is opened: watchdogs check their deadlines soon after. */
  wake(): void;
  /** The hypervisor pauses the machine: nothing executes, and nothing becomes due until it wakes. */
  pause(): void;
  readonly suspended: boolean;
  /** When it last continued after a pause, ms. What it runs may be out of its lease without its knowing. */
  readonly resumedAt: number;
  /** When it last woke up, ms. */
  readonly wokeAt: number;
  /** The machine loses power: all processes are gone, and for some of them every record that they existed. */
  losePower(): void;
  readonly powerLosses: number;
  /** Adds an observer, called when a process starts, continues, stops or ends. */
  onProcess(observe: (process: SimProcess) => void): void;
  /** Sets the handler of watchdogs in doubt; the node's current boot does. */
  onDoubt(answer: (process: SimProcess) => void): void;
  /** Replaces the handler of the end of a run; the node's current boot does. */
  follow(run: string, onEnd: (process: SimProcess) => void): void;
}

/** Times that differ by less are equal, ms. */
const CLOCK_STEP_MS = 1e-6;

/** Cores that jobs share, so that a job takes longer on a busy machine. */
export interface Cores {
  begin(run: string, workMs: number, done: () => void): void;
}

/** Creates an empty machine. Without `cores`, each job takes exactly its `takesMs`. */
export function createSimMachine(host: MachinePower, timeline: Timeline, random: Random, cores?: Cores): SimMachine {
  const processes = new Map<string, SimProcess>();
  const listeners = new Map<string, (process: SimProcess) => void>();
  const observers: ((process: SimProcess) => void)[] = [];
  const durations = new Map<SimProcess, number>();
  let pids = 1;
  let suspended = false;
  let powerLosses = 0;
  let wokeAt = Number.NEGATIVE_INFINITY;
  let resumedAt = Number.NEGATIVE_INFINITY;
  let paused = false;
  let deferred: (() => void)[] = [];
  let onDoubt: (process: SimProcess) => void = () => undefined;

  /** Actions that become due during sleep run at the wake-up. During a pause the machine's clock stands still. */
  function when(delayMs: number, act: () => void): void {
    const dueAt = host.now() + Math.max(0, delayMs);
    const ring = (): void => {
      if (paused) deferred.push(ring);
      else if (suspended) deferred.push(act);
      else if (dueAt - host.now() > CLOCK_STEP_MS) timeline.after(dueAt - host.now(), ring);
      else act();
    };
    timeline.after(delayMs, ring);
  }

  function end(process: SimProcess, state: 'exited' | 'killed'): void {
    if (process.state !== 'alive') return;
    process.state = state;
    process.endedAt = timeline.now();
    durations.delete(process);
    for (const observe of observers) observe(process);
    listeners.get(process.run)?.(process);
  }

  function start(run: string, takesMs: number, guardMs: number, onEnd: (process: SimProcess) => void): SimProcess {
    const process = addProcess(run, undefined, onEnd);
    durations.set(process, takesMs);
    for (const observe of observers) observe(process);
    if (cores === undefined) work(process);
    else cores.begin(run, takesMs, () => end(process, 'exited'));
    startGuard(process, guardMs);
    return process;
  }

  function restore(
    run: string,
    takesMs: number,
    guardMs: number,
    image: SimImage,
    onEnd: (process: SimProcess) => void,
  ): SimProcess {
    const process = addProcess(run, image, onEnd);
    durations.set(process, takesMs);
    for (const observe of observers) observe(process);
    startGuard(process, guardMs);
    return process;
  }

  function addProcess(run: string, image: SimImage | undefined, onEnd: (process: SimProcess) => void): SimProcess {
    pids += 1;
    const execution = `${host.id}:${run}:${pids}`;
    const process = createSimProcess({
      run,
      pid: pids,
      execution,
      image,
      startedAt: timeline.now(),
      since: host.now(),
    });
    processes.set(run, process);
    listeners.set(run, onEnd);
    return process;
  }

  /** Schedules the end of the process, which works from `since` on. If it is stopped meanwhile, that end is void. */
  function work(process: SimProcess): void {
    const { since } = process;
    const left = (durations.get(process) ?? 0) - process.doneMs;
    when(Math.max(0, left), () => {
      if (!process.stopped && process.since === since) end(process, 'exited');
    });
  }

  /** Freezes or holds the process, or lets it continue. Work done so far counts. */
  function setStopped(process: SimProcess, how: Partial<Pick<SimProcess, 'frozen' | 'held'>>): void {
    if (process.state !== 'alive') return;
    const wasStopped = process.stopped;
    Object.assign(process, how);
    if (process.stopped === wasStopped) return;
    if (process.stopped) process.doneMs += host.now() - process.since;
    else process.ran = true;
    process.since = host.now();
    for (const observe of observers) observe(process);
    if (!process.stopped) work(process);
  }

  /** The watchdog is a separate process: it runs on if the node dies. */
  function startGuard(process: SimProcess, leaseMs: number): void {
    process.watchdog = startWatchdog({
      leaseMs,
      after: when,
      jitter: () => random.next(),
      readBoot: host.clocks.readBoot,
      isOver: () => process.state !== 'alive',
      isHeld: () => process.held,
      hold: () => setStopped(process, { held: true }),
      release: () => setStopped(process, { held: false }),
      end: () => end(process, 'killed'),
      reportDoubt: () => onDoubt(process),
    });
  }

  return {
    host,
    processes,
    files: new Map(),
    start,
    restore,
    stop: (process) => setStopped(process, { frozen: true }),
    go: (process) => setStopped(process, { frozen: false }),
    when,
    kill: (run) => {
      const process = processes.get(run);
      if (process !== undefined) end(process, 'killed');
    },
    suspend: () => {
      suspended = true;
      host.clocks.sleep();
    },
    pause: () => {
      paused = true;
      suspended = true;
    },
    get resumedAt() {
      return resumedAt;
    },
    wake: () => {
      suspended = false;
      const wasPaused = paused;
      paused = false;
      if (wasPaused) {
        resumedAt = timeline.now();
        for (const ring of deferred.splice(0)) ring();
        return;
      }
      host.clocks.wake();
      wokeAt = timeline.now();
      const due = deferred;
      deferred = [];
      // A watchdog finishes its current sleep before it checks.
      for (const act of due) when(random.next() * WATCHDOG_STEP_MS, act);
    },
    get suspended() {
      return suspended;
    },
    get wokeAt() {
      return wokeAt;
    },
    get powerLosses() {
      return powerLosses;
    },
    losePower: () => {
      powerLosses += 1;
      listeners.clear();
      for (const process of processes.values()) end(process, 'killed');
      // Starts and ends are recorded in files, and the last of them may not have reached the disk.
      for (const run of processes.keys()) if (random.chance(0.5)) processes.delete(run);
    },
    onProcess: (observe) => {
      observers.push(observe);
    },
    onDoubt: (handle) => {
      onDoubt = handle;
    },
    follow: (run, onEnd) => {
      listeners.set(run, onEnd);
    },
  };
}
