/**
 * What outlives a program on a simulated machine: the processes of jobs with their guardians, and the directories of items and
 * guests. A process that was started runs on when the node dies, and ends at its guardian's deadline; what it wrote is told by
 * a name that no other execution has.
 */
import type { Host } from './host.js';
import type { Random } from './random.js';
import { startGuardian, GUARDIAN_STEP_MS } from './sim-guardian.js';
import { createSimProcess, type SimImage, type SimProcess } from './sim-process.js';
import type { Timeline } from './timeline.js';

/** A machine's processes and directories. */
export interface SimMachine {
  readonly host: Host;
  readonly processes: ReadonlyMap<string, SimProcess>;
  /** Contents by path: the name of what made them. */
  readonly files: Map<string, string>;
  /** Starts a job that takes this long; its guardian gives it `guardMs`. */
  start(run: string, takesMs: number, guardMs: number, onEnd: (process: SimProcess) => void): SimProcess;
  /** Restores a process from its image: it is stopped. */
  restore(
    run: string,
    takesMs: number,
    guardMs: number,
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
  /** The hypervisor stops it: nothing on it goes on, and nothing is due until it is woken. */
  pause(): void;
  readonly suspended: boolean;
  /** Since when it goes on after it was stopped by its hypervisor, ms: what it runs may be out of its lease, and it cannot know. */
  readonly resumedAt: number;
  /** When it last woke, ms. */
  readonly wokeAt: number;
  /** The machine loses power: all its processes are gone, and of some it is not known any more that they ever were. */
  losePower(): void;
  readonly powerLosses: number;
  /** Told when a process starts, goes on, stops and ends. */
  onProcess(look: (process: SimProcess) => void): void;
  /** Told by guardians that are in doubt: the present life of the node. */
  onDoubt(answer: (process: SimProcess) => void): void;
  /** Told who waits for the end of a process now: the present life of the node. */
  follow(run: string, onEnd: (process: SimProcess) => void): void;
}

/** Times that differ by less are the same, ms. */
const CLOCK_STEP_MS = 1e-6;

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
  let resumedAt = Number.NEGATIVE_INFINITY;
  let paused = false;
  let asleep: (() => void)[] = [];
  let answer: (process: SimProcess) => void = () => undefined;

  /** What is due while the machine sleeps happens when it wakes; while it is paused, its clock stands still. */
  function when(delayMs: number, act: () => void): void {
    const dueAt = host.now() + Math.max(0, delayMs);
    const ring = (): void => {
      if (paused) asleep.push(ring);
      else if (suspended) asleep.push(act);
      else if (dueAt - host.now() > CLOCK_STEP_MS) timeline.after(dueAt - host.now(), ring);
      else act();
    };
    timeline.after(delayMs, ring);
  }

  function end(process: SimProcess, state: 'exited' | 'killed'): void {
    if (process.state !== 'lives') return;
    process.state = state;
    process.endedAt = timeline.now();
    takes.delete(process);
    for (const look of lookers) look(process);
    listeners.get(process.run)?.(process);
  }

  function start(run: string, takesMs: number, guardMs: number, onEnd: (process: SimProcess) => void): SimProcess {
    const process = enter(run, undefined, onEnd);
    takes.set(process, takesMs);
    for (const look of lookers) look(process);
    if (cores === undefined) work(process);
    else cores.begin(run, takesMs, () => end(process, 'exited'));
    guard(process, guardMs);
    return process;
  }

  function restore(
    run: string,
    takesMs: number,
    guardMs: number,
    image: SimImage,
    onEnd: (process: SimProcess) => void,
  ): SimProcess {
    const process = enter(run, image, onEnd);
    takes.set(process, takesMs);
    for (const look of lookers) look(process);
    guard(process, guardMs);
    return process;
  }

  function enter(run: string, image: SimImage | undefined, onEnd: (process: SimProcess) => void): SimProcess {
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

  /** It works on from `since`; if it is stopped meanwhile, its end is not due any more. */
  function work(process: SimProcess): void {
    const { since } = process;
    const left = (takes.get(process) ?? 0) - process.doneMs;
    when(Math.max(0, left), () => {
      if (!process.stopped && process.since === since) end(process, 'exited');
    });
  }

  /** It is frozen or held, or not any more; what it has done so far counts. */
  function change(process: SimProcess, how: Partial<Pick<SimProcess, 'frozen' | 'held'>>): void {
    if (process.state !== 'lives') return;
    const wasStopped = process.stopped;
    Object.assign(process, how);
    if (process.stopped === wasStopped) return;
    if (process.stopped) process.doneMs += host.now() - process.since;
    else process.ran = true;
    process.since = host.now();
    for (const look of lookers) look(process);
    if (!process.stopped) work(process);
  }

  /** The guardian is a process of its own: it looks whatever became of the node. */
  function guard(process: SimProcess, leaseMs: number): void {
    process.guardian = startGuardian({
      leaseMs,
      after: when,
      jitter: () => random.next(),
      readBoot: host.clocks.readBoot,
      isOver: () => process.state !== 'lives',
      isHeld: () => process.held,
      hold: () => change(process, { held: true }),
      release: () => change(process, { held: false }),
      end: () => end(process, 'killed'),
      ask: () => answer(process),
    });
  }

  return {
    host,
    processes,
    files: new Map(),
    start,
    restore,
    stop: (process) => change(process, { frozen: true }),
    go: (process) => change(process, { frozen: false }),
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
        for (const ring of asleep.splice(0)) ring();
        return;
      }
      host.clocks.wake();
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
    onDoubt: (told) => {
      answer = told;
    },
    follow: (run, onEnd) => {
      listeners.set(run, onEnd);
    },
  };
}
