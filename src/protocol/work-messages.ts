/**
 * What travels below `work/<owner>/<item>/`: the shape of each payload, for writers and readers. Units are in the names. The
 * schemas that check these shapes are in `schemas.ts`.
 */
import type { Command, Need } from './item.js';

/** `work/<owner>/<item>/offer`. */
export interface Offer {
  readonly epoch: number;
  /** `process`: not to be started but restored from an image, see `ack.image`. */
  readonly kind: 'job' | 'process';
  readonly name: string;
  readonly need: Need;
  readonly size_bytes: number;
  readonly hops: number;
  readonly avoid: readonly string[];
  /** Only MINUS nodes, the owner too: the item was asleep until the sum turned negative. */
  readonly deferred: boolean;
  readonly reason: string;
  /** Counts from hearing it; `expires_at` is the same for people. */
  readonly ttl_ms: number;
  readonly expires_at: string;
}

/** `work/<owner>/<item>/claim/<node>`: the first renewal of the lease, numbered like the others. */
export interface Claim {
  readonly epoch: number;
  /** Number of this claim; the same one when it is said again. */
  readonly renewal: number;
  readonly projected_ratio: number;
  readonly slots_free: number;
  readonly rank: number;
  /** Where the claimant takes messages and serves files; not of versions before. */
  readonly urls?: readonly string[] | undefined;
}

/** `work/<owner>/<item>/ack`: names the one receiver of this epoch. */
export interface Ack {
  readonly epoch: number;
  readonly to: string;
  /** The number of the claim that is answered: the lease counts from the sending of that one. */
  readonly renewal: number;
  readonly lease_ms: number;
  /** `none` when the item has nothing to fetch; `command` stands here then. */
  readonly transport: 'none' | 'https';
  /** Where to fetch: `https://host:port`, in the order to try. */
  readonly urls: readonly string[];
  readonly manifest_sha256?: string | undefined;
  readonly command?: Command | undefined;
  /** The owner's X25519 key, 43 characters of base64url: small outputs come home sealed to it, inside the result. */
  readonly seal_key?: string | undefined;
  /** What is fetched is the image of a process: it is restored, stays stopped, and waits for the order `continue`. */
  readonly image?: boolean | undefined;
  /** The owner takes progress and results at `urls`, too; not of versions before. */
  readonly direct?: boolean | undefined;
}

/**
 * What an owner wants of a receiver: `hold` extends; `cancel` and `vacate` ask to stop; `checkpoint` to stop with a complete
 * image, `resume` to go on after that; `continue` lets a restored copy run: said only after the owner has committed
 * itself to it; `settled` and `gone` release the receiver.
 */
export type Order = 'hold' | 'cancel' | 'vacate' | 'checkpoint' | 'resume' | 'continue' | 'settled' | 'gone';

/** `work/<owner>/<item>/lease`: the owner's answer to renewal `renewal` of epoch `epoch`, held by `to`. */
export interface Lease {
  readonly epoch: number;
  readonly to: string;
  readonly renewal: number;
  readonly order: Order;
  /** The owner does not reach the receiver: what it has for the owner is to be brought there. `https://host:port`. */
  readonly push_to?: readonly string[] | undefined;
  /** With `checkpoint` and `resume`: the number of the move; an order for an earlier move is not obeyed. */
  readonly move?: number | undefined;
}

/** `work/<owner>/<item>/progress/<node>`: one renewal of the lease. */
export interface Progress {
  readonly epoch: number;
  /**
   * `freezing`: its image is being written; `frozen`: it is stopped and its image is complete; `prepared`: it is restored and
   * stopped; `thawing`: it is let run.
   */
  readonly phase: 'fetching' | 'starting' | 'running' | 'stopping' | 'freezing' | 'frozen' | 'prepared' | 'thawing';
  readonly renewal: number;
  /** The last move that was asked of it. */
  readonly move?: number | undefined;
  /** Why that move was not made: it runs on here. */
  readonly refused?: string | undefined;
  /** The receiver asks for it to be moved as it is, and why. */
  readonly wants_move?: string | undefined;
  /** Whether its owner has answered a renewal by the direct path; missing until that is known. */
  readonly direct?: boolean | undefined;
  /** The receiver does not reach the owner: the inputs are to be brought there. `https://host:port`. */
  readonly push_to?: readonly string[] | undefined;
  readonly bytes?: number | undefined;
  readonly bytes_total?: number | undefined;
}

/**
 * How an epoch ended at its receiver. `exited`: it ran and left an exit code; `vacated`: stopped to be moved, its
 * directory is to be fetched; `frozen`: no end, it is stopped to be moved as it is, its image is to be fetched;
 * `refused`: it never started, a restored copy never ran and is destroyed; `cancelled`: stopped because the owner asked;
 * `died`: it ended and left no exit code.
 */
export type Outcome = 'exited' | 'vacated' | 'frozen' | 'refused' | 'cancelled' | 'died';

/** `work/<owner>/<item>/result/<node>`. */
export interface Result {
  readonly epoch: number;
  readonly outcome: Outcome;
  readonly exit_code: number | null;
  /** Name of the signal that ended it, where known. */
  readonly signal: string | null;
  readonly reason: string;
  readonly started_at: string | null;
  readonly run_ms: number;
  /** Processor time of the item and its children, seconds. */
  readonly cpu_s: number;
  readonly outputs_count: number;
  readonly outputs_bytes: number;
  readonly manifest_sha256?: string | undefined;
  /** With `frozen`: the move it was frozen for, and the abilities that a node must have to restore the image. */
  readonly move?: number | undefined;
  readonly image_need?: readonly string[] | undefined;
  /** Why the outputs could not be brought to the owner, after it had asked for that. */
  readonly unreached?: string | undefined;
  /** The outputs themselves, where they are small: base64, sealed to the `seal_key` of the ack. */
  readonly sealed?: string | undefined;
  readonly urls: readonly string[];
}

/** `work/<owner>/<item>/log/<node>`: text that begins at byte `offset` of the stream. */
export interface Log {
  readonly epoch: number;
  readonly stream: 'stdout' | 'stderr';
  readonly offset: number;
  readonly text: string;
  /** The bytes were not UTF-8: the text shows them but cannot stand for them. */
  readonly lossy: boolean;
}
