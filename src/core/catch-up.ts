/**
 * The mesh knows more of this node than its journal does: the journal was put back from a backup or a snapshot, or lost its last
 * writes. What the node itself had said, signed, is believed; where nothing is known, what may have been started is not started
 * again: a once item waits for a person, any other for a lease, above all epochs that can have been acked.
 */
import { HISTORY_MAX } from '../protocol/limits.js';
import type { Status } from '../protocol/status.js';
import type { ItemRecord } from './owner/item-record.js';
import { isSettled } from './owner/owned-item.js';
import type { GuestRecord } from './receiver/guest.js';

/** What the broker keeps of this node, signed with its key. */
export interface KnownByMesh {
  /** The highest run of it that is known. */
  readonly boot: number;
  readonly statuses: ReadonlyMap<string, Status>;
}

/** What a journal knows of itself. */
export interface JournalAge {
  readonly lastBoot: number;
  readonly mark: number;
  readonly items: readonly ItemRecord[];
}

/** What was found of a node, signed with its key. */
export interface FoundByMesh extends KnownByMesh {
  /** The highest mark that it said, and the run that said it. */
  readonly said: { readonly boot: number; readonly mark: number } | undefined;
}

/** What the mesh knows beyond a journal; `undefined` when the journal knows as much. */
export function findNews(found: FoundByMesh, journal: JournalAge): KnownByMesh | undefined {
  const { said, statuses } = found;
  const boot = Math.max(found.boot, said?.boot ?? 0);
  const isOlder =
    boot > journal.lastBoot ||
    (said !== undefined && said.boot === journal.lastBoot && said.mark > journal.mark) ||
    [...statuses].some(([item, status]) =>
      isNews(
        status,
        journal.items.find((one) => one.item.item === item),
      ),
    );
  return isOlder ? { boot, statuses } : undefined;
}

/** Whether a status tells what its owner must have journalled before it said so, and what is not in the journal. */
function isNews(status: Status, record: ItemRecord | undefined): boolean {
  // An item that ended may have been forgotten since.
  if (record === undefined) return !isSettled(status.phase);
  if (isSettled(record.phase)) return false;
  if (isSettled(status.phase)) return true;
  const isHeld = status.phase === 'acked' || status.phase === 'running' || status.phase === 'returning';
  return isHeld && status.epoch > Math.max(record.epoch, record.lastEpoch);
}

/** What goes before the first step of each. */
export interface CaughtUp {
  readonly items: readonly ItemRecord[];
  readonly guests: readonly GuestRecord[];
}

/** Brings items and guests of an older journal as far as is known. */
export function catchUp(items: readonly ItemRecord[], guests: readonly GuestRecord[], known: KnownByMesh): CaughtUp {
  return {
    items: items.map((one) => (isSettled(one.phase) ? one : catchUpItem(one, known.statuses.get(one.item.item)))),
    guests: guests.map(catchUpGuest),
  };
}

const OLDER = 'this state directory is older than what the mesh knows of it';

function catchUpItem(record: ItemRecord, status: Status | undefined): ItemRecord {
  if (status === undefined || status.epoch < record.epoch) return doubt(record);
  const { epoch, receiver, attempts, history, exit_code: exitCode } = status;
  const told: ItemRecord = {
    ...record,
    epoch,
    // There may have been more, of which nothing was said any more.
    lastEpoch: Math.max(record.lastEpoch, epoch) + EPOCHS_UNKNOWN_MAX,
    receiver,
    attempts: Math.max(record.attempts, attempts),
    history,
    order: 'hold',
    source: null,
  };
  switch (status.phase) {
    case 'done':
    case 'failed':
    case 'cancelled': {
      const how = exitCode === null ? status.phase : `exit code ${exitCode}`;
      return { ...told, phase: status.phase, result: null, reason: `${how}; ${OLDER}: its files may be missing here` };
    }
    case 'acked':
    case 'running':
    case 'returning':
      // Whatever its receiver says of it counts as having been started.
      return {
        ...told,
        phase: 'running',
        result: null,
        reason: OLDER,
        history: [...history, startedEntry(status)].slice(-HISTORY_MAX),
      };
    case 'lost':
      return { ...told, phase: 'lost', reason: status.reason };
    default:
      return doubt({ ...told, receiver: null });
  }
}

function startedEntry({ epoch, receiver, submitted_at, history }: Status): ItemRecord['history'][number] {
  const node = receiver === null ? {} : { node: receiver };
  return { ts: history.at(-1)?.ts ?? submitted_at, phase: 'running', epoch, ...node, reason: OLDER };
}

/** More epochs than an item can have had since the oldest backup. */
const EPOCHS_UNKNOWN_MAX = 1_000_000;

/** Nothing is known of what became of it since. */
function doubt(record: ItemRecord): ItemRecord {
  const unsure: ItemRecord = {
    ...record,
    unsure: true,
    order: 'hold',
    lastEpoch: Math.max(record.epoch, record.lastEpoch) + EPOCHS_UNKNOWN_MAX,
    receiver: null,
    source: null,
    result: null,
    reason: OLDER,
  };
  const mayRunAgain = record.item.retry !== 'once' && record.item.process === undefined && record.image === null;
  if (mayRunAgain) return { ...unsure, phase: record.phase === 'staging' ? 'staging' : 'queued' };
  return { ...unsure, phase: 'lost', reason: `${OLDER}: it may have been started since, and is to run once` };
}

/** What was not started by then may have been since: its owner must not hear that it was not. */
function catchUpGuest(guest: GuestRecord): GuestRecord {
  const isBefore = guest.phase === 'claimed' || guest.phase === 'fetching' || guest.phase === 'starting';
  return isBefore && !guest.image ? { ...guest, phase: 'running' } : guest;
}
