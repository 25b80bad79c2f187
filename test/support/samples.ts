/** Sample values for tests of the core: rules with round numbers, a small item, members of a mesh. */
import type { Instant } from '../../src/core/effects.js';
import type { Member, MeshRules } from '../../src/core/mesh/member.js';
import { createMemberTable as createMeshView, type MemberTable } from '../../src/core/mesh/member-table.js';
import type { OwnerRules } from '../../src/core/owner/owned-item.js';
import type { ReceiverRules } from '../../src/core/receiver/guest.js';
import type { Command, Item, Need } from '../../src/protocol/item.js';
import type { Info, State } from '../../src/protocol/messages.js';
import type { Offer, Result } from '../../src/protocol/work-messages.js';

export const ownerRules: OwnerRules = {
  self: 'alpha',
  leaseMs: 6000,
  marginMs: 2000,
  offerTtlMs: 1000,
  repeatMs: 100,
  claimWindowMs: 50,
  returnMs: 20_000,
  frozenMs: 3000,
  preparedMs: 10_000,
  processLeaseMs: 60_000,
  urls: ['https://127.0.0.1:4000'],
  runningMs: 1_000_000,
};

export const receiverRules: ReceiverRules = {
  self: 'beta',
  claimHoldMs: 300,
  graceMs: 1000,
  leaseGraceMs: 500,
  // Starts are told at once, except in the tests that are about it.
  silentMs: 0,
  repeatMs: 100,
  repeatMaxMs: 400,
  keepMs: 60_000,
  imageNeed: ['criu'],
  renewalBase: 1000,
  urls: ['https://127.0.0.1:4001'],
};

export const meshRules: MeshRules = { offlineAfterMs: 3000 };

export const need: Need = { cpus: 1, labels: [], abilities: [] };

export const command: Command = { argv: ['true'], env: {}, outputs: [], migrate: 'never' };

/** An item that needs no staging; `change` replaces the fields that a test is about. */
export function createItem(change: Partial<Item> = {}): Item {
  return {
    id: 'j1',
    name: 'true',
    command,
    need,
    inputs: [],
    place: 'any',
    retry: 'rerun',
    attempts: 3,
    deferred: false,
    submitted_at: '1970-01-01T00:00:00.000Z',
    ...change,
  };
}

/** The time `ms` milliseconds after the start of the test, on both clocks. */
export function instant(ms: number): Instant {
  return { ms, ts: new Date(ms).toISOString() };
}

export function createOffer(change: Partial<Offer> = {}): Offer {
  return {
    epoch: 1,
    kind: 'job',
    name: 'true',
    need,
    size_bytes: 0,
    hops: 0,
    avoid: [],
    deferred: false,
    reason: 'submitted',
    ttl_ms: 1000,
    expires_at: instant(1000).ts,
    ...change,
  };
}

export function createResult(change: Partial<Result> = {}): Result {
  return {
    epoch: 1,
    outcome: 'exited',
    exit_code: 0,
    signal: null,
    reason: '',
    started_at: null,
    run_ms: 5,
    cpu_s: 0.01,
    outputs_count: 0,
    outputs_bytes: 0,
    urls: [],
    ...change,
  };
}

export function createInfo(change: Partial<Info> = {}): Info {
  return {
    key: 'A'.repeat(43),
    host: 'machine',
    os: 'linux',
    arch: 'x64',
    cpus: 2,
    memory_bytes: 8 * 1024 ** 3,
    version: '0.1.0',
    transports: ['https'],
    abilities: [],
    labels: [],
    ...change,
  };
}

/** A MINUS node with two free slots. */
export function createState(change: Partial<State> = {}): State {
  return {
    trit: -1,
    load_ratio: 0.1,
    own_ratio: 0.1,
    projected_ratio: 0.1,
    cpus: 2,
    cpu_percent: 5,
    memory_percent: 25,
    slots: 2,
    slots_free: 2,
    guests: 0,
    queued: 0,
    deferred: 0,
    draining: false,
    accepting: true,
    scum: 0,
    rejected: 0,
    ttl_s: 45,
    ...change,
  };
}

/** A member whose state was received at time 0. */
export function createMember(id: string, state: Partial<State> = {}, info: Partial<Info> = {}): Member {
  return {
    id,
    info: createInfo(info),
    state: createState(state),
    heardAt: 0,
    boot: 1,
    seq: 1,
    available: true,
    offlineSince: Number.NEGATIVE_INFINITY,
  };
}

/** A member table with these members. */
export function createTable(...members: readonly Member[]): MemberTable {
  return createMeshView(members);
}
