/**
 * Brings an older journal up to date when the mesh knows more about this node than its journal does: the journal was
 * restored from a backup or a snapshot, or lost its last writes. Messages that the node itself signed are believed. An
 * item of which nothing is known may have been started and must not be started twice: a once item waits for a person,
 * any other waits for a lease to end and goes on above all epochs that can have been acked.
 */
import { HISTORY_MAX } from '../../protocol/limits.js';
import { describeExitCode, type Status } from '../../protocol/status.js';
import type { ItemRecord } from '../owner/item-record.js';
import { isSettled } from '../owner/owned-item.js';
import type { GuestRecord } from '../receiver/guest.js';

/** Retained messages about this node, signed with its key. */
export interface KnownByMesh {
  /** Its highest known boot number. */
  readonly boot: number;
  readonly statuses: ReadonlyMap<string, Status>;
}

/** How far a journal goes. */
export interface JournalAge {
  readonly lastBoot: number;
  readonly mark: number;
  readonly items: readonly ItemRecord[];
}

/** What was found on the bus about a node, signed with its key. */
export interface FoundByMesh extends KnownByMesh {
  /** The highest mark that it published, and the boot that published it. */
  readonly said: { readonly boot: number; readonly mark: number } | undefined;
}

/** What the mesh knows beyond a journal; `undefined` if the journal is not older. */
export function findNews(found: FoundByMesh, journal: JournalAge): KnownByMesh | undefined {
  const { said, statuses } = found;
  const boot = Math.max(found.boot, said?.boot ?? 0);
  const isOlder =
    boot > journal.lastBoot ||
    (said !== undefined && said.boot === journal.lastBoot && said.mark > journal.mark) ||
    [...statuses].some(([item, status]) =>
      isNews(
        status,
        journal.items.find((one) => one.spec.id === item),
      ),
    );
  return isOlder ? { boot, statuses } : undefined;
}

/** Whether a status shows a step that its owner must have journalled before publishing, and that the journal lacks. */
function isNews(status: Status, record: ItemRecord | undefined): boolean {
  // An item that ended may have been forgotten since.
  if (record === undefined) return !isSettled(status.phase);
  if (isSettled(record.phase)) return false;
  if (isSettled(status.phase)) return true;
  const isHeld = status.phase === 'acked' || status.phase === 'running' || status.phase === 'returning';
  return isHeld && status.epoch > Math.max(record.epoch, record.lastEpoch);
}

/** Items and guests as they were brought up to date, before their first step. */
export interface CaughtUp {
  readonly items: readonly ItemRecord[];
  readonly guests: readonly GuestRecord[];
}

/** Brings the items and guests of an older journal up to date, as far as is known. */
export function catchUp(items: readonly ItemRecord[], guests: readonly GuestRecord[], known: KnownByMesh): CaughtUp {
  return {
    items: items.map((one) => (isSettled(one.phase) ? one : catchUpItem(one, known.statuses.get(one.spec.id)))),
    guests: guests.map(catchUpGuest),
  };
}

const OLDER = 'this state directory is older than what the mesh knows of it';

function catchUpItem(record: ItemRecord, status: Status | undefined): ItemRecord {
  if (status === undefined || status.epoch < record.epoch) return markUnsure(record);
  const { epoch, receiver, attempts, history, exit_code: exitCode } = status;
  const updated: ItemRecord = {
    ...record,
    epoch,
    // There may have been later epochs that were never published.
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
      const how = exitCode === null ? status.phase : describeExitCode(exitCode);
      return {
        ...updated,
        phase: status.phase,
        result: null,
        reason: `${how}; ${OLDER}: its files may be missing here`,
      };
    }
    case 'acked':
    case 'running':
    case 'returning':
      // Whatever phase was published last, it counts as started from here on.
      return {
        ...updated,
        phase: 'running',
        result: null,
        reason: OLDER,
        history: [...history, startedEntry(status)].slice(-HISTORY_MAX),
      };
    case 'lost':
      return { ...updated, phase: 'lost', reason: status.reason };
    default:
      return markUnsure({ ...updated, receiver: null });
  }
}

function startedEntry({ epoch, receiver, submitted_at, history }: Status): ItemRecord['history'][number] {
  const node = receiver === null ? {} : { node: receiver };
  return { ts: history.at(-1)?.ts ?? submitted_at, phase: 'running', epoch, ...node, reason: OLDER };
}

/** More epochs than an item can have used since the oldest backup. */
const EPOCHS_UNKNOWN_MAX = 1_000_000;

/** Marks an item of which nothing is known since the journal was written. */
function markUnsure(record: ItemRecord): ItemRecord {
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
  const mayRunAgain = record.spec.retry !== 'once' && record.spec.process === undefined && record.image === null;
  if (mayRunAgain) return { ...unsure, phase: record.phase === 'staging' ? 'staging' : 'queued' };
  return { ...unsure, phase: 'lost', reason: `${OLDER}: it may have been started since, and must run only once` };
}

/** A guest that had not started may have started since: its owner must not be told otherwise. */
function catchUpGuest(guest: GuestRecord): GuestRecord {
  const isBefore = guest.phase === 'claimed' || guest.phase === 'fetching' || guest.phase === 'starting';
  return isBefore && !guest.image ? { ...guest, phase: 'running' } : guest;
}
