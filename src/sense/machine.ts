/**
 * The sample of the machine that every metric starts from. Each system has its own way to take it.
 */
import type { Observable } from 'rxjs';
import type { ProcessSample } from './sense.js';

/** One sample of the machine. */
export interface MachineSample {
  /** Time of the sample on the clock of the node, ms. */
  readonly now: number;
  /** Number of cores that this process may use. */
  readonly cpus: number;
  /** Non-idle time since the previous sample, all cores together, 0..100; `undefined` in the first sample. */
  readonly cpuPercent: number | undefined;
  readonly memoryPercent: number;
  readonly memoryBytes: number;
  /** PSI cpu `some` of the last 10 s, 0..100; `undefined` if the kernel does not report it. */
  readonly psiPercent: number | undefined;
  /** The 1-minute load average; `undefined` on systems without one. */
  readonly loadAverage1: number | undefined;
  /** Tasks running or blocked at this instant, without this agent; `undefined` if the kernel does not report them. */
  readonly activeTasks: number | undefined;
}

/** Takes one sample: emits it and completes, or errors with a sentence. */
export type SampleMachine = (now: number) => Observable<MachineSample>;

/** A load ratio and the number of CPUs it refers to: those of the machine, of a quota, or as configured. */
export interface LoadRatio {
  /** Load per cpu, 0..n. */
  readonly ratio: number;
  readonly cpus: number;
}

/** Computes the load ratio for a sample; emits nothing if it needs another sample first. Errors with a sentence. */
export type RatioOf = (look: MachineSample) => Observable<LoadRatio>;

/** Lists the processes at `now`; empty for a first sample if shares need two. Errors with a sentence. */
export type SampleProcesses = (now: number) => Observable<readonly ProcessSample[]>;
