/** A program that runs jobs, as the benchmark of peers sees it. */
import type { Scratch } from '../setup/scratch.js';

/** A running peer, with as many slots as the receiver of tritmesh has. */
export interface Peer {
  /** Runs jobs one after another; returns the time of each from submit to its stamp, ms. */
  dispatch(count: number): Promise<readonly number[]>;
  /** Runs no-ops, all submitted at once; returns jobs per second. */
  burst(count: number): Promise<number>;
}

/** A peer that may be missing on this machine. */
export interface PeerKind {
  readonly name: string;
  /** Programs that must be installed. */
  readonly programs: readonly string[];
  /** How to install them. */
  readonly install: string;
  /** Jobs of a burst, if it is far slower than the others. */
  readonly burstJobs?: number;
  /** Starts it, and what it needs, on the loopback. Rejects if it does not start. */
  open(scratch: Scratch): Promise<Peer>;
}
