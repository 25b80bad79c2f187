/**
 * The election: from the same retained state every node ranks the receivers of an item in the same order, or says for
 * each member the one reason why it is none. No node is asked; nothing is random that two nodes could see differently.
 */
import { countSlots, type Need } from '../protocol/item.js';
import type { State } from '../protocol/messages.js';
import { findRoomLack } from './disk-room.js';
import { DEFAULT_TRIT_RULES } from './trit.js';
import { isOnline, type Member, type MeshRules } from './member.js';
import type { MeshView } from './mesh.js';

/** What is to be placed. */
export interface Ask {
  readonly owner: string;
  readonly item: string;
  readonly epoch: number;
  readonly need: Need;
  readonly avoid: readonly string[];
  /** Only MINUS nodes, the owner too. */
  readonly deferred: boolean;
}

/**
 * Every member has either a place in `ranked` (best first) or a reason in `blocked`. `full` names those of the blocked that
 * lack nothing but a free slot: the next one that they have is worth waiting for.
 */
export interface Ranking {
  readonly ranked: readonly string[];
  readonly full: readonly string[];
  readonly blocked: ReadonlyMap<string, string>;
}

/** The reason of a member that is not there. */
export const OFFLINE = 'offline';

/** How the reason of a member begins that lacks nothing but a free slot. */
const FULL = 'its slots are taken';

/** Ratios this close are no reason to prefer one receiver. */
const NEAR_RATIO = 0.1;

/** Ranks all members for one ask. */
export function rankReceivers(view: MeshView, ask: Ask, now: number, rules: MeshRules): Ranking {
  const blocked = new Map<string, string>();
  const open: Candidate[] = [];
  const full: string[] = [];
  for (const member of view.values()) {
    const reason = findObstacle(member, ask, now, rules);
    if (reason === undefined) open.push(weighCandidate(member, ask));
    else blocked.set(member.id, reason);
    if (reason?.startsWith(FULL) === true) full.push(member.id);
  }
  return { ranked: open.toSorted(compareCandidates).map((one) => one.id), full, blocked };
}

/**
 * The place of one member in the ranking of {@link rankReceivers}, from 0 on; -1 when it cannot take what is asked. Each node asks
 * this for each offer that it hears: the count stops at `most`, since who comes that late need not know how late.
 */
export function findRank(
  view: MeshView,
  id: string,
  ask: Ask,
  now: number,
  rules: MeshRules,
  most: number = Number.POSITIVE_INFINITY,
): number {
  const member = view.get(id);
  if (member === undefined || findObstacle(member, ask, now, rules) !== undefined) return -1;
  const self = weighCandidate(member, ask);
  let ahead = 0;
  for (const other of view.values()) {
    if (ahead >= most) return most;
    // The order is asked first: it costs less than the obstacles.
    if (other !== member && comesBefore(other, self, ask) && findObstacle(other, ask, now, rules) === undefined)
      ahead += 1;
  }
  return ahead;
}

function comesBefore(member: Member, other: Candidate, ask: Ask): boolean {
  const band = bandOf(member);
  return band === other.band ? compareCandidates(weighCandidate(member, ask), other) < 0 : band < other.band;
}

/** The one reason why a member cannot take what is asked, most lasting first; `undefined` if it can. */
export function findObstacle(member: Member, ask: Ask, now: number, rules: MeshRules): string | undefined {
  const { alone } = rules;
  const isOutOfReach = alone !== undefined && member.id !== alone.self;
  if (member.state === undefined || !isOnline(member, now, rules)) return OFFLINE;
  return (
    findMismatch(member, ask) ??
    (isOutOfReach ? `it cannot be reached: ${alone.reason}` : undefined) ??
    findUnwilling(member.id, member.state, ask, rules) ??
    findFull(member, member.state, ask.need)
  );
}

function findMismatch(member: Member, ask: Ask): string | undefined {
  const { need } = ask;
  const { info } = member;
  if (info === undefined) return 'its birth message has not been heard yet';
  if (need.on !== undefined && need.on !== member.id) return `only ${need.on} was asked for`;
  if (ask.avoid.includes(member.id)) {
    return member.id === ask.owner ? 'it is to run away from its owner' : 'it refused or gave up the item before';
  }
  if (need.arch !== undefined && need.arch !== info.arch) return `arch is ${info.arch}, ${need.arch} is needed`;
  if (need.os !== undefined && need.os !== info.os) return `os is ${info.os}, ${need.os} is needed`;
  const label = need.labels.find((one) => !info.labels.includes(one));
  if (label !== undefined) return `it lacks the label ${label}`;
  const ability = need.abilities.find((one) => !info.abilities.includes(one));
  return ability === undefined ? undefined : `it lacks the ability ${ability}`;
}

function findUnwilling(id: string, state: State, ask: Ask, rules: MeshRules): string | undefined {
  const own = id === ask.owner;
  if (state.draining) return 'it is draining';
  if (!state.accepting && !own) return 'it accepts no work of others';
  if (state.trit === 1 && !(own && !ask.deferred && isOnlyHeld(state, rules))) return 'it is PLUS (overloaded)';
  if (state.trit === 0 && (!own || ask.deferred)) return 'it is ERGODIC (busy), only MINUS nodes receive';
  return undefined;
}

/**
 * PLUS only because a trit is held. That is to keep the mesh from flapping; it must not keep an owner from its own work: in a
 * crowded mesh, with nobody else to take it, a seventh of the jobs never began.
 */
function isOnlyHeld(state: State, rules: MeshRules): boolean {
  return state.load_ratio <= (rules.plusAbove ?? DEFAULT_TRIT_RULES.plusAbove);
}

function findFull(member: Member, state: State, need: Need): string | undefined {
  const slots = countSlots(need);
  if (slots > state.slots) return `it has ${state.slots} slots, ${slots} are needed`;
  if (need.memory_bytes !== undefined && member.info !== undefined) {
    const free = (member.info.memory_bytes * (100 - state.memory_percent)) / 100;
    if (need.memory_bytes > free)
      return `it has ${formatMiB(free)} of memory free, ${formatMiB(need.memory_bytes)} is needed`;
  }
  const lack = findRoomLack(need.disk_bytes ?? 0, state.disk_free_bytes);
  if (lack !== undefined) return lack;
  if (slots > state.slots_free) return `${FULL}: ${state.slots_free} of ${state.slots} free, ${slots} needed`;
  return undefined;
}

function formatMiB(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}

interface Candidate {
  readonly id: string;
  readonly band: number;
  /** Higher comes first among near-equals. */
  readonly lot: number;
}

function weighCandidate(member: Member, ask: Ask): Candidate {
  const draw = drawLot(`${ask.owner}/${ask.item}/${ask.epoch}/${member.id}`);
  // Weighted rendezvous hashing: a node with twice the cpus wins twice as often, and all nodes draw the same lot.
  return { id: member.id, band: bandOf(member), lot: -(member.state?.cpus ?? 1) / Math.log(draw) };
}

/** Ratios of one band are near-equal. Bands begin at 0, not at the best: two nodes' order must not depend on a third. */
function bandOf(member: Member): number {
  return Math.floor((member.state?.projected_ratio ?? 0) / NEAR_RATIO + 1e-9);
}

function compareCandidates(a: Candidate, b: Candidate): number {
  return a.band - b.band || b.lot - a.lot || (a.id < b.id ? -1 : 1);
}

/** A number in (0, 1) from a text: FNV-1a with the finalizer of MurmurHash3, for its spread on short texts. */
function drawLot(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 0x1_0000_0000;
}

/**
 * How long a receiver of this rank waits before it claims. The first three (0, 1, 2) follow closely, the others only after
 * the first ones had time to be acked.
 */
export function claimDelayMs(rank: number, stepMs: number): number {
  return rank < CLAIMANTS ? rank * stepMs : (CLAIMANTS + (rank - CLAIMANTS + 1) * 2) * stepMs;
}

/** How many ranks are due to claim once so much time has passed. */
export function countDue(passedMs: number, stepMs: number): number {
  if (stepMs === 0) return Number.POSITIVE_INFINITY;
  let due = 0;
  while (claimDelayMs(due, stepMs) <= passedMs) due += 1;
  return due;
}

/** How many receivers claim in the first wave. */
const CLAIMANTS = 3;
