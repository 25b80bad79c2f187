/**
 * An item as its owner holds it: what the journal keeps of it, what only this run knows, and how it looks to others. No
 * transition happens here.
 */
import { countSlots, measureCommand, type Command, type Item, type Need } from '../../protocol/item.js';
import { clip } from '../../protocol/clip.js';
import { COMMAND_INLINE_BYTES_MAX, HISTORY_MAX } from '../../protocol/limits.js';
import type { Claim } from '../../protocol/work-messages.js';
import type { Blocked, HistoryEntry, Phase } from '../../protocol/status.js';
import { roundNeed } from '../disk-room.js';
import type { BusRules } from '../bus-time.js';
import type { Ask } from '../election.js';
import type { Effect, Instant } from '../effects.js';
import type { BundleFacts, ItemRecord } from './item-record.js';

/** A claim that was heard in the present round. */
export interface HeardClaim extends Claim {
  readonly from: string;
}

/** One round of offers: one epoch, until it is acked or ends. Monotonic ms. */
export interface Round {
  readonly endsAt: number;
  readonly repeatAt: number;
  /** When the best of the claims is taken; `undefined` until one was heard. */
  readonly windowEndsAt: number | undefined;
  readonly claims: readonly HeardClaim[];
}

/** What is known of a way that is wanting. Not needed after a restart: it is tried again then. */
export interface WantedWay {
  /** Each address that was called, and what became of it. */
  readonly fault: string;
  /** Fetches in a row that found no way. */
  readonly tries: number;
  /** People know of it. */
  readonly isTold: boolean;
}

/** An item with what only this run of the owner knows. Monotonic ms. */
export interface OwnedItem extends ItemRecord {
  readonly round: Round | null;
  /** When the owner last answered its receiver, in bus time: the lease cannot have been extended after it. */
  readonly answeredAt: number;
  /** When the ack, an order or a fetch is to be repeated. */
  readonly repeatAt: number | undefined;
  /** Since when it waits: the members in `avoid` are left out for a while only. */
  readonly waitsSince: number;
  /** Refusals in a row, and until when the item pauses because of them. */
  readonly refusals: number;
  readonly notBefore: number;
  /** When it last moved from one receiver to another. */
  readonly movedAt: number;
  /** When the stopped original of a move was last answered, in bus time; and since when its image is home. */
  readonly sourceAnsweredAt: number;
  readonly frozenAt: number;
  /** There is no way to its outputs; `null` as long as nothing is known of that. */
  readonly way: WantedWay | null;
  readonly blocked: readonly Blocked[];
  /** Its receiver was heard last by the direct path: it may not hear the bus. */
  readonly heardDirect: boolean;
  /** When the receiver is called by the direct path, because nothing was heard of it; monotonic ms. */
  readonly callAt: number;
  /** Whether owner and receiver reach each other without the broker; `undefined` until that is known. */
  readonly direct: boolean | undefined;
  /** Members that its present move leaves out: moves there made things worse. Not needed after a restart. */
  readonly shun: readonly string[];
}

/** What the owner's steps go by. */
export interface OwnerRules extends BusRules {
  readonly self: string;
  readonly leaseMs: number;
  /** Added to a lease before an item is offered again. */
  readonly marginMs: number;
  readonly offerTtlMs: number;
  readonly repeatMs: number;
  readonly claimWindowMs: number;
  /** How long a process stays stopped for want of a node that takes it, and in all until it runs over there. */
  readonly frozenMs: number;
  readonly preparedMs: number;
  /** Lease of a process that cannot be started anew once it has moved. */
  readonly processLeaseMs: number;
  /** How long outputs may stay at a receiver that does not answer. */
  readonly returnMs: number;
  /** The broker is away: nobody but this node hears an ack. */
  readonly isAlone?: boolean;
  /** Where peers fetch from this node, and where it takes messages. */
  readonly urls: readonly string[];
  /** The member whose word by the direct path is being decided on: what is said to it goes that way. */
  readonly directFrom?: string | undefined;
  /** The key that small outputs are to be sealed to. */
  readonly sealKey?: string | undefined;
  /** How long this node has run in all its lives, ms: what ended is kept for a while of this time. */
  readonly runningMs: number;
}

/** What is known of the direct path to a receiver that was not heard yet. */
export const UNHEARD: Pick<OwnedItem, 'heardDirect' | 'callAt' | 'direct'> = {
  heardDirect: false,
  callAt: Number.POSITIVE_INFINITY,
  direct: undefined,
};

/** The epoch that a process is held under before it has ever moved. */
export const FOUND_EPOCH = 1;

/** Phases that are ends. */
export function isSettled(phase: Phase): boolean {
  return phase === 'done' || phase === 'failed' || phase === 'cancelled';
}

/** Phases in which a receiver holds the item. */
export function isHeld(phase: Phase): boolean {
  return phase === 'acked' || phase === 'running';
}

/** Phases in which the item waits for a receiver. */
export function isWaiting(phase: Phase): boolean {
  return phase === 'staging' || phase === 'deferred' || phase === 'queued' || phase === 'offered';
}

/** Whether a command may stand in the ack: small, and nothing in it that only its receiver should read. */
export function isInline(command: Command): boolean {
  return (
    Object.keys(command.env).length === 0 &&
    command.stdin === undefined &&
    measureCommand(command) <= COMMAND_INLINE_BYTES_MAX
  );
}

/** The command as its receiver gets it: what is to run once must not be stopped and started again either. */
export function commandOf(item: Item): Command {
  const { command } = item;
  return item.retry === 'once' && command.migrate !== 'checkpoint' ? { ...command, migrate: 'never' } : command;
}

/** What the next round asks the mesh for. */
export function askFor(state: OwnedItem, self: string): Ask {
  const { item } = state;
  const on = item.place === 'here' ? self : (state.target ?? item.need.on);
  const away = item.place === 'away' ? [self] : [];
  return {
    owner: self,
    item: item.item,
    epoch: state.epoch,
    need: { ...needOf(state), ...(on === undefined ? {} : { on }) },
    avoid: [...new Set([...state.avoid, ...state.shun, ...away])],
    deferred: item.deferred,
  };
}

function needOf(state: ItemRecord): Need {
  const served = servedOf(state);
  // Said also where it is nothing: what is one hole is large to fetch.
  const room = served === null ? undefined : roundNeed(served.room ?? served.bytes);
  const need = room === undefined ? state.item.need : { ...state.item.need, disk_bytes: room };
  return state.image !== null ? { ...need, abilities: [...new Set([...need.abilities, ...state.imageNeed])] } : need;
}

/** What the receiver of the next epoch fetches: the image of a process, else the staged inputs; `null` if nothing. */
export function servedOf(state: ItemRecord): BundleFacts | null {
  return state.image ?? state.bundle;
}

/** Slots the item will take. */
export function slotsOf(state: ItemRecord): number {
  return countSlots(state.item.need);
}

/** The changed item in a new phase, with the step written into its history. */
export function enterPhase(
  state: OwnedItem,
  phase: Phase,
  reason: string,
  at: Instant,
  change: Partial<OwnedItem> = {},
): OwnedItem {
  const shun = phase === 'running' ? [] : state.shun;
  const next: OwnedItem = { ...state, shun, blocked: [], ...change, phase, reason: clip(reason) };
  const entry: HistoryEntry = {
    ts: at.ts,
    phase,
    epoch: next.epoch,
    ...(next.receiver === null ? {} : { node: next.receiver }),
    ...(next.reason === '' ? {} : { reason: next.reason }),
  };
  return { ...next, history: [...state.history, entry].slice(-HISTORY_MAX) };
}

/** Journal key of an item. */
export function itemKey(item: string): string {
  return `item/${item}`;
}

/** Writes the item to the journal. */
export function persist(state: OwnedItem): Effect {
  return { type: 'Persist', key: itemKey(state.item.item), value: toRecord(state) };
}

/** What the journal keeps of an item. */
export function toRecord(state: OwnedItem): ItemRecord {
  const {
    round: _round,
    answeredAt: _answered,
    repeatAt: _repeat,
    waitsSince: _waits,
    refusals: _refusals,
    notBefore: _notBefore,
    movedAt: _moved,
    sourceAnsweredAt: _sourceAnswered,
    frozenAt: _frozen,
    way: _way,
    blocked: _blocked,
    shun: _shun,
    heardDirect: _heardDirect,
    callAt: _callAt,
    direct: _direct,
    ...record
  } = state;
  return record;
}

/** An item out of the journal; its steps begin with `NodeRestarted`. */
export function fromRecord(record: ItemRecord, now: number): OwnedItem {
  return {
    ...record,
    round: null,
    sourceAnsweredAt: now,
    frozenAt: now,
    answeredAt: now,
    repeatAt: undefined,
    waitsSince: now,
    refusals: 0,
    notBefore: now,
    movedAt: Number.NEGATIVE_INFINITY,
    way: null,
    blocked: [],
    shun: [],
    ...UNHEARD,
  };
}
