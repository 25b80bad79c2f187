/** An item as its owner holds it: the journalled part, and what only this boot knows. No transition happens here. */
import { countSlots, measureCommand, type Command, type Item, type Need } from '../../protocol/item.js';
import { clip } from '../../protocol/clip.js';
import { COMMAND_INLINE_BYTES_MAX, HISTORY_MAX } from '../../protocol/limits.js';
import type { Claim } from '../../protocol/work-messages.js';
import type { Blocked, HistoryEntry, Phase } from '../../protocol/status.js';
import { roundNeed } from '../disk/disk-space.js';
import type { BusRules } from '../bus-time.js';
import type { PlacementRequest } from '../mesh/ranking.js';
import type { Effect, Instant } from '../effects.js';
import { writeItemRecord, type BundleInfo, type ItemRecord } from './item-record.js';

/** A claim that was received in the present round. */
export interface HeardClaim extends Claim {
  readonly from: string;
}

/** One round of offers: one epoch, until it is acked or expires. Monotonic ms. */
export interface Round {
  readonly endsAt: number;
  readonly repeatAt: number;
  /** When the best claim is acked; `undefined` until one was received. */
  readonly windowEndsAt: number | undefined;
  readonly claims: readonly HeardClaim[];
}

/** What is known about outputs that cannot be reached. Not journalled: a restart tries again. */
export interface MissingPath {
  /** Each address that was tried, and how it failed. */
  readonly fault: string;
  /** Fetches in a row that reached no address. */
  readonly tries: number;
  /** The status reports it. */
  readonly isTold: boolean;
}

/** An item with what only this boot of the owner knows. Times are monotonic ms, unless they are in bus time. */
export interface OwnedItem extends ItemRecord {
  /** The present round of offers; `null` while none is open. */
  readonly round: Round | null;
  /** When the owner last answered its receiver, in bus time: the lease cannot have been extended later. */
  readonly answeredAt: number;
  /** When the ack, an order or a fetch is repeated. */
  readonly repeatAt: number | undefined;
  /** Since when it waits: the members in `avoid` are left out for a limited time only. */
  readonly waitsSince: number;
  /** Refusals in a row by members that had claimed it; each makes the pause before its next offer longer. */
  readonly refusals: number;
  /** Until when it is not offered: after refusals, or because a lease that the journal lost may still run. */
  readonly notBefore: number;
  /** When it last moved from one receiver to another. */
  readonly movedAt: number;
  /** When the owner last answered the receiver of the stopped original, in bus time. */
  readonly sourceAnsweredAt: number;
  /** When that original froze, or its image arrived. */
  readonly frozenAt: number;
  /** Set while its outputs cannot be reached. */
  readonly way: MissingPath | null;
  /** Why each member does not take it, while it waits; else empty. */
  readonly blocked: readonly Blocked[];
  /** The code of its reason, while it waits. */
  readonly code: string | undefined;
  /** Its receiver was last heard over the direct path, so it may not hear the bus. */
  readonly heardDirect: boolean;
  /** When the receiver is called over the direct path if nothing is heard from it. */
  readonly callAt: number;
  /** Whether owner and receiver reach each other without the broker; `undefined` until known. */
  readonly direct: boolean | undefined;
  /** Members that its present move leaves out because of a back-off. Not needed after a restart. */
  readonly excludedForMove: readonly string[];
}

/** What the owner's step depends on. Times in ms. */
export interface OwnerRules extends BusRules {
  readonly self: string;
  readonly leaseMs: number;
  /** Safety margin after a lease before the item is offered again. */
  readonly marginMs: number;
  readonly offerTtlMs: number;
  readonly repeatMs: number;
  readonly claimWindowMs: number;
  /** How long a process may stay stopped until a node takes it, and in total until its copy runs. */
  readonly frozenMs: number;
  readonly preparedMs: number;
  /** Lease of an external process, which cannot be started again. */
  readonly processLeaseMs: number;
  /** How long outputs may stay at a receiver that does not answer. */
  readonly returnMs: number;
  /** The broker is away: no other node hears an ack. */
  readonly isAlone?: boolean;
  /** Where peers fetch from this node and send it messages. */
  readonly urls: readonly string[];
  /** The member whose message came over the direct path: it is answered over it. */
  readonly directFrom?: string | undefined;
  /** The key to which small outputs are sealed. */
  readonly sealKey?: string | undefined;
  /** Total running time of this node over all boots: the age of ended items is measured in it. */
  readonly runningMs: number;
}

/** The direct path to a receiver that has not been heard yet. */
export const UNHEARD: Pick<OwnedItem, 'heardDirect' | 'callAt' | 'direct'> = {
  heardDirect: false,
  callAt: Number.POSITIVE_INFINITY,
  direct: undefined,
};

/** The epoch of an external process before its first move. */
export const EXTERNAL_EPOCH = 1;

/** Whether a phase is final. */
export function isSettled(phase: Phase): boolean {
  return phase === 'done' || phase === 'failed' || phase === 'cancelled';
}

/** Whether a receiver holds the item in this phase. */
export function isHeld(phase: Phase): boolean {
  return phase === 'acked' || phase === 'running';
}

/** Whether the item waits for a receiver in this phase. */
export function isWaiting(phase: Phase): boolean {
  return phase === 'staging' || phase === 'deferred' || phase === 'queued' || phase === 'offered';
}

/** Whether a command may travel in the ack: it is small, and has nothing that only its receiver should read. */
export function isInline(command: Command): boolean {
  const { env, stdin } = command;
  return Object.keys(env).length === 0 && stdin === undefined && measureCommand(command) <= COMMAND_INLINE_BYTES_MAX;
}

/** The command as its receiver gets it: a once item must not be moved by stopping and starting it again. */
export function commandOf(item: Item): Command {
  const { command } = item;
  return item.retry === 'once' && command.migrate !== 'checkpoint' ? { ...command, migrate: 'never' } : command;
}

/** The placement request of the next round. */
export function placementFor(state: OwnedItem, self: string): PlacementRequest {
  const { spec } = state;
  const on = spec.place === 'here' ? self : (state.target ?? spec.need.on);
  return {
    owner: self,
    item: spec.id,
    epoch: state.epoch,
    need: { ...needOf(state), ...(on === undefined ? {} : { on }) },
    avoid: [...new Set([...state.avoid, ...state.excludedForMove, ...(spec.place === 'away' ? [self] : [])])],
    deferred: spec.deferred,
  };
}

function needOf(state: ItemRecord): Need {
  const served = servedOf(state);
  // Named even if it is 0: a sparse file may be large to fetch and take no space.
  const space = served === null ? undefined : roundNeed(served.room ?? served.bytes);
  const need = space === undefined ? state.spec.need : { ...state.spec.need, disk_bytes: space };
  return state.image !== null ? { ...need, abilities: [...new Set([...need.abilities, ...state.imageNeed])] } : need;
}

/** What the next receiver fetches: the image of a process, else the staged inputs; `null` if nothing. */
export function servedOf(state: ItemRecord): BundleInfo | null {
  return state.image ?? state.bundle;
}

/** Number of slots that the item takes. */
export function slotsOf(state: ItemRecord): number {
  return countSlots(state.spec.need);
}

/** The changed item in a new phase, with an entry in its history. */
export function enterPhase(
  state: OwnedItem,
  phase: Phase,
  reason: string,
  at: Instant,
  change: Partial<OwnedItem> = {},
): OwnedItem {
  const next: OwnedItem = {
    ...state,
    excludedForMove: phase === 'running' ? [] : state.excludedForMove,
    blocked: [],
    code: undefined,
    ...change,
    phase,
    reason: clip(reason),
  };
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
  return { type: 'Persist', key: itemKey(state.spec.id), value: writeItemRecord(toRecord(state)) };
}

/** The journalled part of an item. */
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
    code: _code,
    excludedForMove: _excluded,
    heardDirect: _heardDirect,
    callAt: _callAt,
    direct: _direct,
    ...record
  } = state;
  return record;
}

/** An item from the journal; its first input is `NodeRestarted`. */
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
    code: undefined,
    excludedForMove: [],
    ...UNHEARD,
  };
}
