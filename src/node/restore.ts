/**
 * What the journal knows at the start: the number of this run, what people had set, the items and the guests of the run
 * before. An entry that does not read as what its key says is kept where it is and named.
 */
import { THROTTLE_METHODS } from '../core/throttle-record.js';
import { THROTTLE_PREFIX, type ThrottledRecord } from '../core/throttled.js';
import type { ItemRecord } from '../core/owner/item-record.js';
import { outliveMachine, type GuestRecord } from '../core/receiver/guest.js';
import type { JournalEntry } from '../journal/journal.js';
import { commandSchema, itemSchema, needSchema } from '../protocol/item.js';
import { pinKey } from '../pipelines/key-pins.js';
import { PHASES } from '../protocol/status.js';

/** Journal key of the number of the last run. */
export const BOOT_KEY = 'node/boot';
/** Journal key of whether the node drains. */
export const DRAIN_KEY = 'node/drain';
/** Journal key of the run of the machine that the last run of the node was in. */
export const MACHINE_KEY = 'node/machine';

/** What a node begins with. */
export interface Restored {
  readonly boot: number;
  readonly draining: boolean;
  /** The machine went down since the last run of this node. */
  readonly machineRestarted: boolean;
  readonly items: readonly ItemRecord[];
  readonly guests: readonly GuestRecord[];
  /** What an earlier life throttled. */
  readonly throttles: readonly ThrottledRecord[];
  /** Keys of members, by id. */
  readonly pins: ReadonlyMap<string, string>;
  readonly faults: readonly string[];
}

const PIN_PREFIX = pinKey('');

/** Reads the journal's entries; `machineRun` names the present run of the machine, `wall` is the wall clock, ms. */
export function restore(entries: readonly JournalEntry[], machineRun: string, wall: number): Restored {
  const items: ItemRecord[] = [];
  const guests: GuestRecord[] = [];
  const throttles: ThrottledRecord[] = [];
  const faults: string[] = [];
  const pins = new Map<string, string>();
  let machine: unknown;
  let boot = 0;
  let draining = false;
  for (const { key, value } of entries) {
    if (key === BOOT_KEY && typeof value === 'number') boot = value;
    else if (key === MACHINE_KEY) machine = value;
    else if (key === DRAIN_KEY) draining = value === true;
    else if (key.startsWith(PIN_PREFIX) && typeof value === 'string') pins.set(key.slice(PIN_PREFIX.length), value);
    else if (key.startsWith('item/') && isItemRecord(value)) items.push(value);
    else if (key.startsWith('guest/') && isGuestRecord(value)) guests.push(value);
    else if (key.startsWith(THROTTLE_PREFIX) && isThrottledRecord(value)) throttles.push(value);
    else faults.push(key);
  }
  // Item ids sort by the time they were made; the queue goes on in the order of submission.
  items.sort((a, b) => (a.item.submitted_at < b.item.submitted_at ? -1 : 1));
  const machineRestarted = machine !== undefined && machine !== machineRun;
  return {
    machineRestarted,
    boot: nextBoot(boot, wall),
    draining,
    items,
    guests: machineRestarted ? guests.map(outliveMachine) : guests,
    throttles,
    pins,
    faults,
  };
}

/** Later than every run before it, also when the journal was lost and only the wall clock remembers that time passed. */
function nextBoot(last: number, wall: number): number {
  return Math.max(last + 1, Math.floor(wall / 1000));
}

function isItemRecord(value: unknown): value is ItemRecord {
  if (!isRecord(value)) return false;
  return (
    itemSchema.safeParse(value['item']).success &&
    PHASES.some((phase) => phase === value['phase']) &&
    Number.isInteger(value['epoch']) &&
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

function isThrottledRecord(value: unknown): value is ThrottledRecord {
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
