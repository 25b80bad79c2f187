/**
 * The machine as it stands at one moment: what every metric starts from. Each system has its own way to look; looking
 * decides nothing.
 */
import type { Observable } from 'rxjs';
import type { ProcessSample } from './sense.js';

/** One look at the machine. */
export interface MachineSample {
  /** When, on the node's clock, in milliseconds. */
  readonly now: number;
  /** Cores that this process may use. */
  readonly cpus: number;
  /** Time not idle since the look before, all cores together, 0..100; `undefined` at the first look. */
  readonly cpuPercent: number | undefined;
  readonly memoryPercent: number;
  readonly memoryBytes: number;
  /** PSI cpu `some` of the last 10 s, 0..100, where the kernel tells. */
  readonly psiPercent: number | undefined;
  /** The 1-minute load average; `undefined` where the system has none. */
  readonly loadAverage1: number | undefined;
  /** Tasks that run or are blocked just now, this agent left out; `undefined` where the kernel does not tell. */
  readonly activeTasks: number | undefined;
}

/** Takes one look; emits it and completes, or errors with a sentence. */
export type SampleMachine = (now: number) => Observable<MachineSample>;

/** A load ratio, and the cpus that it is a share of: those of the machine, of a quota, or as configured. */
export interface LoadRatio {
  /** Load per cpu, 0..n. */
  readonly ratio: number;
  readonly cpus: number;
}

/** Gives the load ratio at a look, or nothing when it takes one more look; errors with a sentence. */
export type RatioOf = (look: MachineSample) => Observable<LoadRatio>;

/** Lists the processes at `now`; empty at a first look that has nothing to compare with; errors with a sentence. */
export type SampleProcesses = (now: number) => Observable<readonly ProcessSample[]>;
