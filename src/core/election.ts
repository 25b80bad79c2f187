/**
 * The election: from the same retained state every node ranks the receivers of an item in the same order, or says for
 * each member the one reason why it is none. No node is asked; nothing is random that two nodes could see differently.
 */
import { countSlots, type Need } from '../protocol/item.js';
import type { State } from '../protocol/messages.js';
import { isOnline, type Member, type MeshRules, type MeshView } from './mesh.js';

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
  return { ranked: orderCandidates(open), full, blocked };
}

/** The one reason why a member cannot take what is asked, most lasting first; `undefined` if it can. */
export function findObstacle(member: Member, ask: Ask, now: number, rules: MeshRules): string | undefined {
  if (member.state === undefined || !isOnline(member, now, rules)) return 'offline';
  return (
    findMismatch(member, ask) ?? findUnwilling(member.id, member.state, ask) ?? findFull(member, member.state, ask.need)
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

function findUnwilling(id: string, state: State, ask: Ask): string | undefined {
  const own = id === ask.owner;
  if (state.draining) return 'it is draining';
  if (!state.accepting && !own) return 'it accepts no work of others';
  if (state.trit === 1) return 'it is PLUS (overloaded)';
  if (state.trit === 0 && (!own || ask.deferred)) return 'it is ERGODIC (busy), only MINUS nodes receive';
  return undefined;
}

function findFull(member: Member, state: State, need: Need): string | undefined {
  const slots = countSlots(need);
  if (slots > state.slots) return `it has ${state.slots} slots, ${slots} are needed`;
  if (need.memory_bytes !== undefined && member.info !== undefined) {
    const free = (member.info.memory_bytes * (100 - state.memory_percent)) / 100;
    if (need.memory_bytes > free)
      return `it has ${formatMiB(free)} of memory free, ${formatMiB(need.memory_bytes)} is needed`;
  }
  if (slots > state.slots_free) return `${FULL}: ${state.slots_free} of ${state.slots} free, ${slots} needed`;
  return undefined;
}

function formatMiB(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}

interface Candidate {
  readonly id: string;
  readonly ratio: number;
  /** Higher comes first among near-equals. */
  readonly lot: number;
}

function weighCandidate(member: Member, ask: Ask): Candidate {
  const state = member.state;
  const cpus = state?.cpus ?? 1;
  const draw = drawLot(`${ask.owner}/${ask.item}/${ask.epoch}/${member.id}`);
  // Weighted rendezvous hashing: a node with twice the cpus wins twice as often, and all nodes draw the same lot.
  return { id: member.id, ratio: state?.projected_ratio ?? 0, lot: -cpus / Math.log(draw) };
}

function orderCandidates(open: readonly Candidate[]): string[] {
  const least = Math.min(...open.map((one) => one.ratio));
  const band = (one: Candidate): number => Math.floor((one.ratio - least) / NEAR_RATIO + 1e-9);
  return open.toSorted((a, b) => band(a) - band(b) || b.lot - a.lot || (a.id < b.id ? -1 : 1)).map((one) => one.id);
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

/** How many receivers claim in the first wave. */
const CLAIMANTS = 3;
