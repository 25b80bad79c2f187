/**
 * The port that senses the machine: its load, and its heavy processes. Samples come at their own pace; a sample that
 * could not be taken is said, never made up.
 */
import type { Observable } from 'rxjs';
import type { DiskSample } from '../core/disk/disk-space.js';
import type { ProcessFacts } from '../core/processes/process-facts.js';

/** One reading of the load. */
export interface LoadSample {
  /** Load per cpu, 0..n, by the configured metric. */
  readonly ratio: number;
  readonly cpus: number;
  /** Time not idle, all cores together, 0..100. */
  readonly cpuPercent: number;
  readonly memoryPercent: number;
  readonly memoryBytes: number;
  /** PSI cpu `some` of the last 10 s, 0..100, where the kernel tells. */
  readonly psiPercent?: number | undefined;
}

/** One process; facts that rules go by are known only of those that use something. */
export interface ProcessSample extends ProcessFacts {
  /** Share of one core since the last look, 0..100 times the cores. */
  readonly cpuPercent: number;
  /** Share of the machine's memory, 0..100. */
  readonly memoryPercent: number;
  readonly ageS: number;
}

/** A reading that failed, as a sentence for people. */
export interface SenseFault {
  readonly fault: string;
}

/** The senses of a node. Cold: each subscription reads by itself, unsubscribing stops it. */
export interface Sense {
  readonly load$: Observable<LoadSample | SenseFault>;
  /** All processes that use anything; empty at the first look where shares need two looks. */
  readonly processes$: Observable<readonly ProcessSample[] | SenseFault>;
  /** Room on the disk of the state directory; without it that is not known. */
  readonly disk$?: Observable<DiskSample | SenseFault> | undefined;
}
