/**
 * The ranking: from the same retained state, every node ranks the receivers of an item in the same order, and finds for
 * each other member the one reason why it cannot take the item. No node is asked, and nothing is random that two nodes
 * could see differently.
 */
import { countSlots, type Need } from '../../protocol/item.js';
import type { State } from '../../protocol/messages.js';
import { explain, type Reason } from '../../protocol/reasons.js';
import { findSpaceLack } from '../disk/disk-space.js';
import { DEFAULT_TRIT_RULES } from './trit.js';
import { isOnline, type Member, type MeshRules } from './member.js';
import type { MemberTable } from './member-table.js';

/** An item to be placed. */
export interface PlacementRequest {
  readonly owner: string;
  readonly item: string;
  readonly epoch: number;
  readonly need: Need;
  readonly avoid: readonly string[];
  /** Only MINUS nodes may take it, and that includes the owner. */
  readonly deferred: boolean;
}

/** The request for an arbitrary item of one cpu: wherever receivers are shown, they are ranked for this one. */
export const ANY_ITEM: PlacementRequest = {
  owner: '',
  item: '',
  epoch: 0,
  need: { cpus: 1, labels: [], abilities: [] },
  avoid: [],
  deferred: false,
};

/**
 * Each member is either in `ranked` (best first) or has a reason in `blocked`. `full` lists the blocked members that
 * lack nothing but a free slot, and are therefore worth waiting for.
 */
export interface Ranking {
  /** Ids of the members that would take the item, best first. */
  readonly ranked: readonly string[];
  /** Ids of the blocked members that lack nothing but a free slot. */
  readonly full: readonly string[];
  /** Why each other member does not take the item, by id. */
  readonly blocked: ReadonlyMap<string, Reason>;
}

/** Ratios within one band of this width count as equal. */
const NEAR_RATIO = 0.1;

/** Ranks all members for a request. */
export function rankReceivers(members: MemberTable, request: PlacementRequest, now: number, rules: MeshRules): Ranking {
  const blocked = new Map<string, Reason>();
  const open: Candidate[] = [];
  const full: string[] = [];
  for (const member of members.values()) {
    const reason = findObstacle(member, request, now, rules);
    if (reason === undefined) open.push(weighCandidate(member, request));
    else blocked.set(member.id, reason);
    if (reason?.code === 'slots-taken') full.push(member.id);
  }
  return { ranked: open.toSorted(compareCandidates).map((one) => one.id), full, blocked };
}

/**
 * The position of one member in the ranking of {@link rankReceivers}, starting at 0; -1 if it cannot take the item.
 * Each node computes this for each offer that it hears, so counting stops at `most`: beyond that the exact rank does
 * not matter.
 */
export function findRank(
  members: MemberTable,
  id: string,
  request: PlacementRequest,
  now: number,
  rules: MeshRules,
  most: number = Number.POSITIVE_INFINITY,
): number {
  const member = members.get(id);
  if (member === undefined || findObstacle(member, request, now, rules) !== undefined) return -1;
  const self = weighCandidate(member, request);
  let ahead = 0;
  for (const other of members.values()) {
    if (ahead >= most) return most;
    // The order is checked first: it is cheaper than the obstacles.
    if (other !== member && comesBefore(other, self, request) && findObstacle(other, request, now, rules) === undefined)
      ahead += 1;
  }
  return ahead;
}

function comesBefore(member: Member, other: Candidate, request: PlacementRequest): boolean {
  const band = bandOf(member);
  return band === other.band ? compareCandidates(weighCandidate(member, request), other) < 0 : band < other.band;
}

/** The reason why a member cannot take the item, the most permanent one first; `undefined` if it can. */
export function findObstacle(
  member: Member,
  request: PlacementRequest,
  now: number,
  rules: MeshRules,
): Reason | undefined {
  const { alone } = rules;
  const isOutOfReach = alone !== undefined && member.id !== alone.self;
  if (member.state === undefined || !isOnline(member, now, rules)) return explain('offline');
  return (
    findMismatch(member, request) ??
    (isOutOfReach ? explain('out-of-reach', alone.reason) : undefined) ??
    findUnwilling(member.id, member.state, request, rules) ??
    findFull(member, member.state, request.need)
  );
}

function findMismatch(member: Member, request: PlacementRequest): Reason | undefined {
  const { need } = request;
  const { info } = member;
  if (info === undefined) return explain('unborn');
  if (need.on !== undefined && need.on !== member.id) return explain('not-asked-for', need.on);
  if (request.avoid.includes(member.id)) {
    return explain(member.id === request.owner ? 'away-from-owner' : 'gave-it-up');
  }
  if (need.arch !== undefined && need.arch !== info.arch) return explain('wrong-arch', info.arch, need.arch);
  if (need.os !== undefined && need.os !== info.os) return explain('wrong-os', info.os, need.os);
  const label = need.labels.find((one) => !info.labels.includes(one));
  if (label !== undefined) return explain('lacks-label', label);
  const ability = need.abilities.find((one) => !info.abilities.includes(one));
  return ability === undefined ? undefined : explain('lacks-ability', ability);
}

function findUnwilling(id: string, state: State, request: PlacementRequest, rules: MeshRules): Reason | undefined {
  const own = id === request.owner;
  if (state.draining) return explain('draining');
  if (!state.accepting && !own) return explain('accepts-nothing');
  return findTritObstacle(state, own && !request.deferred, rules);
}

/**
 * Why a node with this trit does not receive; `undefined` if it does. Only MINUS nodes receive; an owner also runs its
 * own work (`isOwn`: its own and not deferred) unless it is overloaded.
 */
export function findTritObstacle(
  state: Pick<State, 'trit' | 'load_ratio'>,
  isOwn: boolean,
  rules: MeshRules,
): Reason | undefined {
  if (state.trit === 1 && !(isOwn && isOnlyHeld(state, rules))) return explain('plus');
  if (state.trit === 0 && !isOwn) return explain('ergodic');
  return undefined;
}

/**
 * Whether a node is PLUS only because the trit is held. Holding keeps the mesh from flapping, but must not keep an
 * owner from its own work: in a crowded mesh, with no other node to take it, a seventh of the jobs never started.
 */
function isOnlyHeld(state: Pick<State, 'load_ratio'>, rules: MeshRules): boolean {
  return state.load_ratio <= (rules.plusAbove ?? DEFAULT_TRIT_RULES.plusAbove);
}

function findFull(member: Member, state: State, need: Need): Reason | undefined {
  const slots = countSlots(need);
  if (slots > state.slots) return explain('too-few-slots', state.slots, slots);
  if (need.memory_bytes !== undefined && member.info !== undefined) {
    const free = (member.info.memory_bytes * (100 - state.memory_percent)) / 100;
    if (need.memory_bytes > free) return explain('too-little-memory', formatMiB(free), formatMiB(need.memory_bytes));
  }
  const lack = findSpaceLack(need.disk_bytes ?? 0, state.disk_free_bytes);
  if (lack !== undefined) return lack;
  if (slots > state.slots_free) return explain('slots-taken', state.slots_free, state.slots, slots);
  return undefined;
}

function formatMiB(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}

interface Candidate {
  readonly id: string;
  readonly band: number;
  /** Within a band, the higher weight comes first. */
  readonly weight: number;
}

function weighCandidate(member: Member, request: PlacementRequest): Candidate {
  const draw = hashToUnit(`${request.owner}/${request.item}/${request.epoch}/${member.id}`);
  // Weighted rendezvous hashing: a node with twice the cpus wins twice as often, and all nodes compute the same weight.
  return { id: member.id, band: bandOf(member), weight: -(member.state?.cpus ?? 1) / Math.log(draw) };
}

/** Bands start at 0, not at the best ratio: the order of two nodes must not depend on a third. */
function bandOf(member: Member): number {
  return Math.floor((member.state?.projected_ratio ?? 0) / NEAR_RATIO + 1e-9);
}

function compareCandidates(a: Candidate, b: Candidate): number {
  return a.band - b.band || b.weight - a.weight || (a.id < b.id ? -1 : 1);
}

/** Hashes a text to a number in (0, 1): FNV-1a with the finalizer of MurmurHash3, which spreads short texts well. */
function hashToUnit(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 0x1_0000_0000;
}

/**
 * How long a receiver of this rank waits before it claims, ms. Ranks 0 to 2 follow each other closely; the others wait
 * until one of those has had time to be acked.
 */
export function claimDelayMs(rank: number, stepMs: number): number {
  return rank < CLAIMANTS ? rank * stepMs : (CLAIMANTS + (rank - CLAIMANTS + 1) * 2) * stepMs;
}

/** How many ranks may claim once `passedMs` have passed. */
export function countDue(passedMs: number, stepMs: number): number {
  if (stepMs === 0) return Number.POSITIVE_INFINITY;
  let due = 0;
  while (claimDelayMs(due, stepMs) <= passedMs) due += 1;
  return due;
}

/** How many receivers claim in the first wave. */
const CLAIMANTS = 3;
