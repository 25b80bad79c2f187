/** The part of an item that the journal keeps. No transition happens here. */
import { readItem, writeItem, type Item, type WrittenItem } from '../../protocol/item.js';
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
  /** What was submitted: the command, what it needs, and where it may run. */
  readonly spec: Item;
  /** How far it has come. */
  readonly phase: Phase;
  /** The epoch that is held or being offered; 0 before the first round. */
  readonly epoch: number;
  /** The highest epoch that was acked: the next one is above it, even after a move was given up. */
  readonly lastEpoch: number;
  /** The node that runs it, or ran it to its end; `null` while none does. */
  readonly receiver: string | null;
  /**
   * Where the receiver accepts messages; empty if it runs an earlier version, missing in journals of earlier versions.
   */
  readonly receiverUrls?: readonly string[];
  /** Number of the claim that was acked; each repeat of the ack names it. */
  readonly claimRenewal: number;
  /** Number of starts: acks that were not refused. A move does not count. */
  readonly attempts: number;
  /** Number of moves from one receiver to another. */
  readonly hops: number;
  /** Members that the next round leaves out. */
  readonly avoid: readonly string[];
  /** The member that a person wants it to go to. */
  readonly target: string | null;
  /** Why it is in its phase: a sentence of at most 500 characters, may be empty. */
  readonly reason: string;
  /** What a receiver fetches to start it: its inputs, or its directory after a move; `null` if there is nothing. */
  readonly bundle: BundleInfo | null;
  /**
   * The last order to its receiver. `continue` is the commitment to a restored copy, journalled BEFORE it is published.
   */
  readonly order: 'hold' | 'cancel' | 'vacate' | 'checkpoint' | 'resume' | 'continue';
  /** Lease of the acked epoch, ms. */
  readonly leaseMs: number;
  /** How its present epoch ended, as the receiver reports it; `null` until then. */
  readonly result: Result | null;
  /** The last phases that it entered, at most 24, oldest first. */
  readonly history: readonly HistoryEntry[];
  /** The image of its process, stored at the owner: while it is set, the item is restored, not started. */
  readonly image: BundleInfo | null;
  /** Abilities that a node must have to restore the image. */
  readonly imageNeed: readonly string[];
  /** The stopped original, while its process is being moved and may still be resumed; else `null`. */
  readonly source: Source | null;
  /** Number of the last move by checkpoint; 0 before the first. */
  readonly move: number;
  /** Why the last move was ordered; `reason` changes on its way. Missing in journals of earlier versions. */
  readonly moveReason?: string;
  /** Total running time of its owner when the item ended, ms. Missing in journals of earlier versions. */
  readonly endedRunningMs?: number;
  /** The journal was restored to an older state: what happened to the item since then is not known. */
  readonly unsure?: boolean;
}

/** A record as journals hold it. */
export interface JournalledItem extends Omit<ItemRecord, 'spec'> {
  readonly item: WrittenItem;
}

/** The value of the journal entry of an item. */
export function writeItemRecord({ spec, ...rest }: ItemRecord): JournalledItem {
  return { item: writeItem(spec), ...rest };
}

/** The record of a journal entry. */
export function readItemRecord({ item, ...rest }: JournalledItem): ItemRecord {
  return { spec: readItem(item), ...rest };
}
