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
import { RETIRED_PREFIX } from '../pipelines/retired-ids.js';
import { PHASES } from '../protocol/status.js';
import { NODE_ID_PATTERN } from '../protocol/topics.js';

/** Journal key of the number of the last run. */
export const BOOT_KEY = 'node/boot';
/** Journal key of whether the node drains. */
export const DRAIN_KEY = 'node/drain';
/** Journal key of the run of the machine that the last run of the node was in. */
export const MACHINE_KEY = 'node/machine';

/** Journal key of how long the node has run in all its lives, ms. */
export const RUNNING_KEY = 'node/running';
/** Journal key of whose journal it is: versions before did not write it. */
export const IDENTITY_KEY = 'node/id';

/** Under which id and below which base a journal was written. */
export interface JournalIdentity {
  readonly id: string;
  readonly base: string;
  readonly former: readonly string[];
  readonly fromHost: boolean;
}

/** Journal key of a number that rises while the node runs, and is said with its states. */
export const MARK_KEY = 'node/mark';

/** What a node begins with. */
export interface Restored {
  /** `undefined` in the journal of a version before, and in an empty one. */
  readonly identity: JournalIdentity | undefined;
  readonly boot: number;
  /** Number of the last run that the journal knows; 0 for none. */
  readonly lastBoot: number;
  /** The last mark that was written: one that was said and is above it tells that this journal is an older one. */
  readonly mark: number;
  readonly draining: boolean;
  /** The machine went down since the last run of this node. */
  readonly machineRestarted: boolean;
  readonly items: readonly ItemRecord[];
  readonly guests: readonly GuestRecord[];
  /** What an earlier life throttled. */
  readonly throttles: readonly ThrottledRecord[];
  /** Keys of members, by id. */
  readonly pins: ReadonlyMap<string, string>;
  /** How long this node had run in all its lives, ms, as far as it was written down. */
  readonly runningMs: number;
  /** Items that were forgotten a short while ago, and until when they are remembered, running ms. */
  readonly retired: ReadonlyMap<string, number>;
  readonly faults: readonly string[];
}

const PIN_PREFIX = pinKey('');

/** Reads the journal's entries; `machineRun` names the present run of the machine, empty when it is not known; `wall` is the wall clock, ms. */
export function restore(entries: readonly JournalEntry[], machineRun: string, wall: number): Restored {
  const items: ItemRecord[] = [];
  const guests: GuestRecord[] = [];
  const throttles: ThrottledRecord[] = [];
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
    else if (key.startsWith('item/') && isItemRecord(value)) items.push(value);
    else if (key.startsWith('guest/') && isGuestRecord(value)) guests.push(value);
    else if (key.startsWith(THROTTLE_PREFIX) && isThrottledRecord(value)) throttles.push(value);
    else faults.push(key);
  }
  // Item ids sort by the time they were made; the queue goes on in the order of submission.
  items.sort((a, b) => (a.item.submitted_at < b.item.submitted_at ? -1 : 1));
  // What cannot be read says nothing, nor did it when it was written.
  const isKnown = machine !== undefined && machine !== '' && machine !== 'unknown' && machineRun !== '';
  const machineRestarted = isKnown && machine !== machineRun;
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
    // What ended is dated more often than the time is written down.
    runningMs: items.reduce((latest, one) => Math.max(latest, one.endedRunningMs ?? 0), runningMs),
    retired,
    faults,
  };
}

/** Later than every run before it, also when the journal was lost and only the wall clock remembers that time passed. */
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

function isItemRecord(value: unknown): value is ItemRecord {
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
