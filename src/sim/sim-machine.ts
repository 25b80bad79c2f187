/**
 * What outlives a program on a simulated machine: the processes of jobs with their guardians, and the directories of items and
 * guests. A process that was started runs on when the node dies, and ends at its guardian's deadline; what it wrote is told by
 * a name that no other execution has.
 */
import type { Host } from './host.js';
import type { Random } from './random.js';
import type { Timeline } from './timeline.js';

/** One process of a job. */
export interface SimProcess {
  readonly run: string;
  readonly pid: number;
  readonly startedAt: number;
  /** No two executions have the same. */
  readonly execution: string;
  /** What it writes is told by this name: that of the execution that it is a copy of, or its own. */
  readonly writes: string;
  /** It was restored from an image, and is no first start. */
  readonly isCopy: boolean;
  /** It was let run at least once. */
  ran: boolean;
  /** It is there, and does nothing. */
  stopped: boolean;
  /** Work done so far, ms, up to `since`; from then on it goes on unless it is stopped. */
  doneMs: number;
  since: number;
  deadline: number;
  state: 'lives' | 'exited' | 'killed';
  endedAt: number;
}

/** An image: whose, and how far that had come. */
export interface SimImage {
  readonly writes: string;
  readonly doneMs: number;
}

/** A machine's processes and directories. */
export interface SimMachine {
  readonly host: Host;
  readonly processes: ReadonlyMap<string, SimProcess>;
  /** Contents by path: the name of what made them. */
  readonly files: Map<string, string>;
  /** Starts a job that takes this long; its guardian gives it until `deadline`. */
  start(run: string, takesMs: number, deadline: number, onEnd: (process: SimProcess) => void): SimProcess;
  /** Restores a process from its image: it is stopped. */
  restore(
    run: string,
    takesMs: number,
    deadline: number,
    image: SimImage,
    onEnd: (process: SimProcess) => void,
  ): SimProcess;
  /** Stops a process, or lets it go on. */
  stop(process: SimProcess): void;
  go(process: SimProcess): void;
  /** Does something a while later, whatever became of the node; what is due while the machine sleeps is done when it wakes. */
  when(delayMs: number, act: () => void): void;
  kill(run: string): void;
  /** The lid is closed: nothing on it goes on. */
  suspend(): void;
  /** The lid is opened: its guardians look soon. */
  wake(): void;
  readonly suspended: boolean;
  /** When it last woke, ms. */
  readonly wokeAt: number;
  /** The machine loses power: all its processes are gone, and of some it is not known any more that they ever were. */
  losePower(): void;
  readonly powerLosses: number;
  /** Told when a process starts, goes on, stops and ends. */
  onProcess(look: (process: SimProcess) => void): void;
  /** Told who waits for the end of a process now: the present life of the node. */
  follow(run: string, onEnd: (process: SimProcess) => void): void;
}

/** A guardian looks this often at the latest, ms. */
export const GUARDIAN_STEP_MS = 2000;

/** Cores that jobs share: they take as long as the others on the machine let them. */
export interface Cores {
  begin(run: string, workMs: number, done: () => void): void;
}

/** Makes a machine with nothing on it; without `cores` each job takes just as long as it is said to. */
export function createSimMachine(host: Host, timeline: Timeline, random: Random, cores?: Cores): SimMachine {
  const processes = new Map<string, SimProcess>();
  const listeners = new Map<string, (process: SimProcess) => void>();
  const lookers: ((process: SimProcess) => void)[] = [];
  const takes = new Map<SimProcess, number>();
  let pids = 1;
  let suspended = false;
  let powerLosses = 0;
  let wokeAt = Number.NEGATIVE_INFINITY;
  let asleep: (() => void)[] = [];

  /** What is due while the machine sleeps happens when it wakes. */
  function when(delayMs: number, act: () => void): void {
    timeline.after(delayMs, () => {
      if (suspended) asleep.push(act);
      else act();
    });
  }

  function end(process: SimProcess, state: 'exited' | 'killed'): void {
    if (process.state !== 'lives') return;
    process.state = state;
    process.endedAt = timeline.now();
    takes.delete(process);
    for (const look of lookers) look(process);
    listeners.get(process.run)?.(process);
  }

  function start(run: string, takesMs: number, deadline: number, onEnd: (process: SimProcess) => void): SimProcess {
    const process = enter(run, deadline, undefined, onEnd);
    takes.set(process, takesMs);
    for (const look of lookers) look(process);
    if (cores === undefined) work(process);
    else cores.begin(run, takesMs, () => end(process, 'exited'));
    guard(process);
    return process;
  }

  function restore(
    run: string,
    takesMs: number,
    deadline: number,
    image: SimImage,
    onEnd: (process: SimProcess) => void,
  ): SimProcess {
    const process = enter(run, deadline, image, onEnd);
    takes.set(process, takesMs);
    for (const look of lookers) look(process);
    guard(process);
    return process;
  }

  function enter(
    run: string,
    deadline: number,
    image: SimImage | undefined,
    onEnd: (process: SimProcess) => void,
  ): SimProcess {
    pids += 1;
    const execution = `${host.id}:${run}:${pids}`;
    const process: SimProcess = {
      run,
      pid: pids,
      startedAt: timeline.now(),
      execution,
      writes: image?.writes ?? execution,
      isCopy: image !== undefined,
      ran: image === undefined,
      stopped: image !== undefined,
      doneMs: image?.doneMs ?? 0,
      since: timeline.now(),
      deadline,
      state: 'lives',
      endedAt: Number.POSITIVE_INFINITY,
    };
    processes.set(run, process);
    listeners.set(run, onEnd);
    return process;
  }

  /** It works on from `since`; if it is stopped meanwhile, its end is not due any more. */
  function work(process: SimProcess): void {
    const { since } = process;
    const left = (takes.get(process) ?? 0) - process.doneMs;
    when(Math.max(0, left), () => {
      if (!process.stopped && process.since === since) end(process, 'exited');
    });
  }

  function stop(process: SimProcess): void {
    if (process.state !== 'lives' || process.stopped) return;
    process.doneMs += timeline.now() - process.since;
    process.stopped = true;
    for (const look of lookers) look(process);
  }

  function go(process: SimProcess): void {
    if (process.state !== 'lives' || !process.stopped) return;
    process.stopped = false;
    process.ran = true;
    process.since = timeline.now();
    for (const look of lookers) look(process);
    work(process);
  }

  /** The guardian is a process of its own: it looks whatever became of the node. */
  function guard(process: SimProcess): void {
    const wait = Math.min(GUARDIAN_STEP_MS, Math.max(1, process.deadline - timeline.now()));
    when(wait + random.next() * 50, () => {
      if (process.state !== 'lives') return;
      if (timeline.now() >= process.deadline) end(process, 'killed');
      else guard(process);
    });
  }

  return {
    host,
    processes,
    files: new Map(),
    start,
    restore,
    stop,
    go,
    when,
    kill: (run) => {
      const process = processes.get(run);
      if (process !== undefined) end(process, 'killed');
    },
    suspend: () => {
      suspended = true;
    },
    wake: () => {
      suspended = false;
      wokeAt = timeline.now();
      const due = asleep;
      asleep = [];
      // A sleeping guardian finishes its nap before it looks.
      for (const act of due) when(random.next() * GUARDIAN_STEP_MS, act);
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
      // Marks of starts and ends are files: the last of them may not have reached the disk.
      for (const run of processes.keys()) if (random.chance(0.5)) processes.delete(run);
    },
    onProcess: (look) => {
      lookers.push(look);
    },
    follow: (run, onEnd) => {
      listeners.set(run, onEnd);
    },
  };
}
