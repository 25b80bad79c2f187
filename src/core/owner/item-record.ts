/** The part of an item that the journal keeps. No transition happens here. */
import type { Item } from '../../protocol/item.js';
import type { Result } from '../../protocol/work-messages.js';
import type { HistoryEntry, Phase } from '../../protocol/status.js';

/** The staged files of an item, as the transfer will serve them. */
export interface BundleInfo {
  readonly sha256: string;
  readonly bytes: number;
  readonly count: number;
  /** Disk space that they take, without holes; missing in journals of earlier versions. */
  readonly room?: number | undefined;
}

/** The stopped original of a process that is being moved, as long as it may be resumed. */
export interface Source {
  readonly receiver: string;
  readonly epoch: number;
  readonly leaseMs: number;
  /** Where its receiver accepts messages; missing in journals of earlier versions. */
  readonly urls?: readonly string[] | undefined;
}

/** The part of an item that survives a restart of its owner. */
export interface ItemRecord {
  readonly item: Item;
  readonly phase: Phase;
  /** The epoch that is held or being offered. */
  readonly epoch: number;
  /** The highest epoch that was acked: the next one is above it, even after a move was given up. */
  readonly lastEpoch: number;
  readonly receiver: string | null;
  /**
   * Where the receiver accepts messages; empty if it runs an earlier version, missing in journals of earlier versions.
   */
  readonly receiverUrls?: readonly string[];
  /** Number of the claim that was acked; each repeat of the ack names it. */
  readonly claimRenewal: number;
  /** Number of starts: acks that were not refused. */
  readonly attempts: number;
  readonly hops: number;
  /** Members that the next round leaves out. */
  readonly avoid: readonly string[];
  /** The member that a person wants it to go to. */
  readonly target: string | null;
  readonly reason: string;
  readonly bundle: BundleInfo | null;
  /**
   * The last order to its receiver. `continue` is the commitment to a restored copy, journalled BEFORE it is published.
   */
  readonly order: 'hold' | 'cancel' | 'vacate' | 'checkpoint' | 'resume' | 'continue';
  /** Lease of the acked epoch, ms. */
  readonly leaseMs: number;
  readonly result: Result | null;
  readonly history: readonly HistoryEntry[];
  /** The image of its process, stored at the owner: while it is set, the item is restored, not started. */
  readonly image: BundleInfo | null;
  /** Abilities that a node must have to restore the image. */
  readonly imageNeed: readonly string[];
  readonly source: Source | null;
  /** Number of the last move by checkpoint. */
  readonly move: number;
  /** Why the last move was ordered; `reason` changes on its way. Missing in journals of earlier versions. */
  readonly moveReason?: string;
  /** Total running time of its owner when the item ended, ms. Missing in journals of earlier versions. */
  readonly endedRunningMs?: number;
  /** The journal was restored to an older state: what happened to the item since then is not known. */
  readonly unsure?: boolean;
}
