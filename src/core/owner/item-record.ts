/**
 * What the journal keeps of an item. No transition happens here.
 */
import type { Item } from '../../protocol/item.js';
import type { Result } from '../../protocol/work-messages.js';
import type { HistoryEntry, Phase } from '../../protocol/status.js';

/** What is staged of an item, as the transfer will serve it. */
export interface BundleFacts {
  readonly sha256: string;
  readonly bytes: number;
  readonly count: number;
  /** Bytes that it takes on a disk, holes left out; not in journals of versions before. */
  readonly room?: number | undefined;
}

/** The stopped original of a process that is being moved, as long as it may be let run again. */
export interface Source {
  readonly receiver: string;
  readonly epoch: number;
  readonly leaseMs: number;
  /** Where it takes messages; not in journals of versions before. */
  readonly urls?: readonly string[] | undefined;
}

/** What survives a restart of the owner. */
export interface ItemRecord {
  readonly item: Item;
  readonly phase: Phase;
  /** The round that is held or being offered. */
  readonly epoch: number;
  /** The highest round that was acked: the next one is above it, also when a move was given up. */
  readonly lastEpoch: number;
  readonly receiver: string | null;
  /** Where the receiver takes messages; empty for one of a version before, missing in journals of such. */
  readonly receiverUrls?: readonly string[];
  /** Number of the claim that was acked: each repeat of the ack names the same one. */
  readonly claimRenewal: number;
  /** Starts so far: acks that were not refused. */
  readonly attempts: number;
  readonly hops: number;
  /** Members that the next round leaves out. */
  readonly avoid: readonly string[];
  /** The one member that a person wants it to go to. */
  readonly target: string | null;
  readonly reason: string;
  readonly bundle: BundleFacts | null;
  /** What its receiver was last told. `continue` is the commitment to a restored copy: journalled BEFORE it is said. */
  readonly order: 'hold' | 'cancel' | 'vacate' | 'checkpoint' | 'resume' | 'continue';
  /** Lease of the acked epoch, ms. */
  readonly leaseMs: number;
  readonly result: Result | null;
  readonly history: readonly HistoryEntry[];
  /** The image of its process, at home: it is restored and not started as long as this is here. */
  readonly image: BundleFacts | null;
  /** Abilities that a node must have to restore the image. */
  readonly imageNeed: readonly string[];
  readonly source: Source | null;
  /** Number of the last move by checkpoint. */
  readonly move: number;
  /** Why the last move was ordered; the reason changes on its way. Not in journals of versions before. */
  readonly moveReason?: string;
  /** How long its owner had run, in all its lives, when it ended, ms. Not in journals of versions before. */
  readonly endedRunningMs?: number;
  /** The journal was put back from an older time: what became of the item since then is not known. */
  readonly unsure?: boolean;
}
