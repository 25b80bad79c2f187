/**
 * Reads the journal at the start: the number of this boot, what people had set, and the items and guests of the boot
 * before. An entry whose value does not match its key is kept and reported.
 */
import { THROTTLE_METHODS } from '../core/processes/saved-throttle.js';
import { THROTTLE_PREFIX, type ThrottleEntry } from '../core/processes/throttle-state.js';
import { readItemRecord, type ItemRecord, type JournalledItem } from '../core/owner/item-record.js';
import { outliveMachine, type GuestRecord } from '../core/receiver/guest.js';
import type { JournalEntry } from '../journal/journal.js';
import { commandSchema, itemSchema, needSchema } from '../protocol/item.js';
import { pinKey } from '../pipelines/mesh/key-pins.js';
import { RETIRED_PREFIX } from '../pipelines/owner/retired-ids.js';
import { PHASES } from '../protocol/status.js';
import { NODE_ID_PATTERN } from '../protocol/topics.js';

/** Journal key of the number of the last boot. */
export const BOOT_KEY = 'node/boot';
/** Journal key of whether the node drains. */
export const DRAIN_KEY = 'node/drain';
/** Journal key of the machine's boot during which the node last ran. */
export const MACHINE_KEY = 'node/machine';

/** Journal key of how long the node has run in all its boots, ms. */
export const RUNNING_KEY = 'node/running';
/** Journal key of the identity that the journal belongs to; earlier versions did not write it. */
export const IDENTITY_KEY = 'node/id';

/** The id and the base topic under which a journal was written. */
export interface JournalIdentity {
  readonly id: string;
  readonly base: string;
  readonly former: readonly string[];
  readonly fromHost: boolean;
}

/** Journal key of a number that rises while the node runs and is published with its states. */
export const MARK_KEY = 'node/mark';

/** What a node starts with. */
export interface RecoveredJournal {
  /** `undefined` in the journal of an earlier version, and in an empty one. */
  readonly identity: JournalIdentity | undefined;
  readonly boot: number;
  /** Number of the last boot that the journal knows; 0 for none. */
  readonly lastBoot: number;
  /** The last mark that was written: a published mark above it shows that this journal is an older copy. */
  readonly mark: number;
  readonly draining: boolean;
  /** The machine went down since the last boot of this node. */
  readonly machineRestarted: boolean;
  readonly items: readonly ItemRecord[];
  readonly guests: readonly GuestRecord[];
  /** What an earlier boot throttled. */
  readonly throttles: readonly ThrottleEntry[];
  /** Keys of members, by id. */
  readonly pins: ReadonlyMap<string, string>;
  /** How long this node has run in all its boots, ms, as far as it was written down. */
  readonly runningMs: number;
  /** Items that were forgotten recently, and until when they are remembered, running time in ms. */
  readonly retired: ReadonlyMap<string, number>;
  readonly faults: readonly string[];
}

const PIN_PREFIX = pinKey('');

/**
 * Reads the journal's entries. `machineBoot` names the current boot of the machine, empty when it is not known; `wall`
 * is the wall clock, ms.
 */
export function recoverJournal(entries: readonly JournalEntry[], machineBoot: string, wall: number): RecoveredJournal {
  const items: ItemRecord[] = [];
  const guests: GuestRecord[] = [];
  const throttles: ThrottleEntry[] = [];
  const faults: string[] = [];
  const pins = new Map<string, string>();
  let identity: JournalIdentity | undefined;
  let machine: unknown;
  let boot = 0;
  let mark = 0;
  let draining = false;
  let runningMs = 0;
  const retired = new Map<string, number>();
  for (const { key, value } of entries) {
    if (key === BOOT_KEY && typeof value === 'number') boot = value;
    else if (key === RUNNING_KEY && isTime(value)) runningMs = value;
    else if (key.startsWith(RETIRED_PREFIX) && isTime(value)) retired.set(key.slice(RETIRED_PREFIX.length), value);
    else if (key === IDENTITY_KEY && isIdentity(value)) identity = value;
    else if (key === MARK_KEY && typeof value === 'number') mark = value;
    else if (key === MACHINE_KEY) machine = value;
    else if (key === DRAIN_KEY) draining = value === true;
    else if (key.startsWith(PIN_PREFIX) && typeof value === 'string') pins.set(key.slice(PIN_PREFIX.length), value);
    else if (key.startsWith('item/') && isJournalledItem(value)) items.push(readItemRecord(value));
    else if (key.startsWith('guest/') && isGuestRecord(value)) guests.push(value);
    else if (key.startsWith(THROTTLE_PREFIX) && isThrottledRecord(value)) throttles.push(value);
    else faults.push(key);
  }
  // Item ids sort by the time they were created; the queue continues in the order of submission.
  items.sort((a, b) => (a.spec.submitted_at < b.spec.submitted_at ? -1 : 1));
  // An unknown boot proves nothing, now or when it was written.
  const isKnown = machine !== undefined && machine !== '' && machine !== 'unknown' && machineBoot !== '';
  const machineRestarted = isKnown && machine !== machineBoot;
  return {
    identity,
    machineRestarted,
    boot: nextBoot(boot, wall),
    lastBoot: boot,
    mark,
    draining,
    items,
    guests: machineRestarted ? guests.map(outliveMachine) : guests,
    throttles,
    pins,
    // The end of an item is recorded more often than the running time.
    runningMs: items.reduce((latest, one) => Math.max(latest, one.endedRunningMs ?? 0), runningMs),
    retired,
    faults,
  };
}

/** Higher than every boot before, even when the journal was lost and only the wall clock shows that time passed. */
function nextBoot(last: number, wall: number): number {
  return Math.max(last + 1, Math.floor(wall / 1000));
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isIdentity(value: unknown): value is JournalIdentity {
  if (!isRecord(value)) return false;
  return (
    typeof value['id'] === 'string' &&
    NODE_ID_PATTERN.test(value['id']) &&
    typeof value['base'] === 'string' &&
    Array.isArray(value['former']) &&
    typeof value['fromHost'] === 'boolean'
  );
}

function isJournalledItem(value: unknown): value is JournalledItem {
  if (!isRecord(value)) return false;
  return (
    itemSchema.safeParse(value['item']).success &&
    PHASES.some((phase) => phase === value['phase']) &&
    Number.isInteger(value['epoch']) &&
    (value['endedRunningMs'] === undefined || isTime(value['endedRunningMs'])) &&
    Array.isArray(value['avoid']) &&
    Array.isArray(value['history'])
  );
}

function isGuestRecord(value: unknown): value is GuestRecord {
  if (!isRecord(value)) return false;
  return (
    typeof value['owner'] === 'string' &&
    typeof value['item'] === 'string' &&
    Number.isInteger(value['epoch']) &&
    needSchema.safeParse(value['need']).success &&
    (value['command'] === null || commandSchema.safeParse(value['command']).success)
  );
}

function isThrottledRecord(value: unknown): value is ThrottleEntry {
  if (!isRecord(value) || !isRecord(value['wish']) || !isRecord(value['record'])) return false;
  const { wish, record } = value;
  return (
    typeof wish['target'] === 'string' &&
    wish['target'] === record['target'] &&
    THROTTLE_METHODS.some((method) => method === record['method']) &&
    Array.isArray(record['processes'])
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
