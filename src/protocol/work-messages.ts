/**
 * The messages below `work/<owner>/<item>/`: the shape of each payload, for writers and readers. Units are in the
 * names. The schemas that check these shapes are in `schemas.ts`.
 */
import type { Command, Need } from './item.js';

/** `work/<owner>/<item>/offer`. */
export interface Offer {
  readonly epoch: number;
  /** `process`: restored from an image instead of started, see `ack.image`. */
  readonly kind: 'job' | 'process';
  readonly name: string;
  readonly need: Need;
  readonly size_bytes: number;
  readonly hops: number;
  readonly avoid: readonly string[];
  /** Only MINUS nodes may take it, and that includes the owner: the item waited until the sum turned negative. */
  readonly deferred: boolean;
  readonly reason: string;
  /** Counted from when the offer is received; `expires_at` is the same for people. */
  readonly ttl_ms: number;
  readonly expires_at: string;
}

/** `work/<owner>/<item>/claim/<node>`: the first renewal of the lease, numbered like the others. */
export interface Claim {
  readonly epoch: number;
  /** Number of this claim; unchanged when the claim is repeated. */
  readonly renewal: number;
  readonly projected_ratio: number;
  readonly slots_free: number;
  readonly rank: number;
  /** Where the claimant accepts messages and serves files; missing from earlier versions. */
  readonly urls?: readonly string[] | undefined;
}

/** `work/<owner>/<item>/ack`: names the one receiver of this epoch. */
export interface Ack {
  readonly epoch: number;
  readonly to: string;
  /** The number of the claim that this answers: the lease counts from when that claim was sent. */
  readonly renewal: number;
  readonly lease_ms: number;
  /** `none` if the item has nothing to fetch; `command` is set then. */
  readonly transport: 'none' | 'https';
  /** Where to fetch from: `https://host:port`, in the order in which to try them. */
  readonly urls: readonly string[];
  readonly manifest_sha256?: string | undefined;
  readonly command?: Command | undefined;
  /** The owner's X25519 key, 43 characters of base64url: small outputs are sealed to it and sent inside the result. */
  readonly seal_key?: string | undefined;
  /** The image of a process is fetched: it is restored, stays stopped, and waits for the order `continue`. */
  readonly image?: boolean | undefined;
  /** The owner also accepts progress and results at `urls`; missing from earlier versions. */
  readonly direct?: boolean | undefined;
}

/**
 * What an owner orders a receiver to do. `hold` extends the lease; `cancel` and `vacate` stop the run; `checkpoint`
 * stops it with a complete image, and `resume` lets it go on after that; `continue` lets a restored copy run, and is
 * sent only after the owner has committed to it; `settled` and `gone` release the receiver.
 */
export type LeaseOrder = 'hold' | 'cancel' | 'vacate' | 'checkpoint' | 'resume' | 'continue' | 'settled' | 'gone';

/** `work/<owner>/<item>/lease`: the owner's answer to renewal `renewal` of epoch `epoch`, held by `to`. */
export interface Lease {
  readonly epoch: number;
  readonly to: string;
  readonly renewal: number;
  readonly order: LeaseOrder;
  /** The owner cannot reach the receiver, which should bring the outputs here instead. `https://host:port`. */
  readonly push_to?: readonly string[] | undefined;
  /** With `checkpoint` and `resume`: the number of the move. An order for an earlier move is ignored. */
  readonly move?: number | undefined;
}

/** `work/<owner>/<item>/progress/<node>`: one renewal of the lease. */
export interface ProgressReport {
  readonly epoch: number;
  /**
   * `freezing`: its image is being written; `frozen`: it is stopped and its image is complete; `prepared`: a copy is
   * restored and stopped; `thawing`: it is being resumed.
   */
  readonly phase: 'fetching' | 'starting' | 'running' | 'stopping' | 'freezing' | 'frozen' | 'prepared' | 'thawing';
  readonly renewal: number;
  /** Number of the last move that was ordered. */
  readonly move?: number | undefined;
  /** Why that move was refused: the process goes on running here. */
  readonly refused?: string | undefined;
  /** The receiver asks for the running process to be moved; this is the reason. */
  readonly wants_move?: string | undefined;
  /** Whether its owner has answered a renewal by the direct path; missing until that is known. */
  readonly direct?: boolean | undefined;
  /** The receiver cannot reach the owner, which should bring the inputs here instead. `https://host:port`. */
  readonly push_to?: readonly string[] | undefined;
  readonly bytes?: number | undefined;
  readonly bytes_total?: number | undefined;
}

/**
 * How an epoch ended at its receiver. `exited`: it ran and left an exit code; `vacated`: stopped to be moved, its
 * directory can be fetched; `frozen`: not an end, the process is stopped to be moved as it is and its image can be
 * fetched; `refused`: it never started, or a restored copy never ran and was destroyed; `cancelled`: stopped because
 * the owner asked; `died`: it ended without an exit code.
 */
export type ResultOutcome = 'exited' | 'vacated' | 'frozen' | 'refused' | 'cancelled' | 'died';

/** `work/<owner>/<item>/result/<node>`. */
export interface Result {
  readonly epoch: number;
  readonly outcome: ResultOutcome;
  readonly exit_code: number | null;
  /** Name of the signal that ended it, where known. */
  readonly signal: string | null;
  readonly reason: string;
  /** With `refused`: the code of the reason, if it has one (reasons.ts). */
  readonly code?: string | undefined;
  readonly started_at: string | null;
  readonly run_ms: number;
  /** Processor time of the item and its children, seconds. */
  readonly cpu_s: number;
  readonly outputs_count: number;
  readonly outputs_bytes: number;
  readonly manifest_sha256?: string | undefined;
  /** With `frozen`: the number of the move, and the abilities that a node needs to restore the image. */
  readonly move?: number | undefined;
  readonly image_need?: readonly string[] | undefined;
  /** Why the outputs could not be brought to the owner after it asked for that. */
  readonly unreached?: string | undefined;
  /** The outputs themselves if they are small: base64, sealed to the `seal_key` of the ack. */
  readonly sealed?: string | undefined;
  readonly urls: readonly string[];
}

/** `work/<owner>/<item>/log/<node>`: text that starts at byte `offset` of the stream. */
export interface LogPiece {
  readonly epoch: number;
  readonly stream: 'stdout' | 'stderr';
  readonly offset: number;
  readonly text: string;
  /** The bytes were not UTF-8: the text is readable but does not reproduce them. */
  readonly lossy: boolean;
}
