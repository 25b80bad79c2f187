/**
 * The port that senses the machine: its load, its processes and its free disk space. Each kind of sample has its own
 * interval. A sample that could not be taken is reported as a fault, never made up.
 */
import type { Observable } from 'rxjs';
import type { DiskSample } from '../core/disk/disk-space.js';
import type { ProcessFacts } from '../core/processes/process-facts.js';

/** One sample of the load. */
export interface LoadSample {
  /** Load per cpu, 0..n, by the configured metric. */
  readonly ratio: number;
  readonly cpus: number;
  /** Non-idle time, all cores together, 0..100. */
  readonly cpuPercent: number;
  readonly memoryPercent: number;
  readonly memoryBytes: number;
  /** PSI cpu `some` of the last 10 s, 0..100, if the kernel reports it. */
  readonly psiPercent?: number | undefined;
}

/** One process. The facts that rules depend on are known only for processes that use much of the machine. */
export interface ProcessSample extends ProcessFacts {
  /** Share of one core since the previous sample, 0..100 times the number of cores. */
  readonly cpuPercent: number;
  /** Share of the machine's memory, 0..100. */
  readonly memoryPercent: number;
  readonly ageS: number;
}

/** A failed sample, as a sentence for people. */
export interface SenseFault {
  readonly fault: string;
}

/** The senses of a node. Cold: each subscription takes its own samples, and unsubscribing stops that. */
export interface Sense {
  readonly load$: Observable<LoadSample | SenseFault>;
  /** All processes that use any resources; the first list is empty where shares need two samples. */
  readonly processes$: Observable<readonly ProcessSample[] | SenseFault>;
  /** Free space on the disk of the state directory, if that directory is known. */
  readonly disk$?: Observable<DiskSample | SenseFault> | undefined;
}
