/**
 * The settings of simulated nodes: as in earnest, with leases short enough that many end within a run, and all proportions
 * kept: grace and guardian are over before the owner's margin is.
 */
import { DEFAULT_TRIT_RULES } from '../core/trit.js';
import type { NodeSettings } from '../pipelines/settings.js';
import { UNSIGNED_VERBS } from '../protocol/requests.js';
import type { Plan } from './plan.js';

/** Base topic of simulated meshes. */
export const SIM_BASE = 'sim';

/** Longer than a healed world may take to come to rest, ms. */
const KEPT_AFTER_MS = 600_000;
/** What simulated nodes keep of their disks, bytes. */
export const SIM_RESERVE = 50;

/** The settings of one node. */
export function settingsOf(plan: Plan, id: string): NodeSettings {
  return {
    id,
    base: SIM_BASE,
    info: {
      host: id,
      os: 'sim',
      arch: 'sim',
      cpus: plan.slots,
      memory_bytes: 8 * 1024 ** 3,
      version: 'sim',
      transports: ['https'],
      abilities: ['criu'],
      labels: [],
    },
    machineRun: '1',
    // What was called done survives a loss of power here; what an unsynced journal loses is its own trade.
    journalSync: true,
    slots: plan.slots,
    diskReserve: { bytes: SIM_RESERVE, percent: 100 },
    trit: { ...DEFAULT_TRIT_RULES, plusHoldMs: 1000, minusHoldMs: 2000, ergodicHoldMs: 1000 },
    scumFormula: 'clamped',
    // Simulated machines list no processes; what moves, moves by the policy.
    scum: { throttle: 'off', migrate: 'managed', rules: [], sharePercent: 50, vacateAfterMs: 60_000 },
    pid: 0,
    brokerPort: 0,
    rebalance: plan.seed % 4 === 0 ? 'gf3' : 'pairs',
    mesh: { offlineAfterMs: 3000 },
    moves: { projectedMax: 0.65, gainMin: 0.1, cooldownMs: 5000, itemRestMs: 10_000 },
    owner: {
      // As in earnest the margin is less than the lease: an answer that comes late must not matter.
      leaseMs: 10_000,
      marginMs: 5000,
      offerTtlMs: 4000,
      repeatMs: 500,
      claimWindowMs: 120,
      returnMs: 60_000,
      returnedMs: 5000,
      frozenMs: 10_000,
      preparedMs: 20_000,
      processLeaseMs: 60_000,
    },
    receiver: {
      claimHoldMs: 1500,
      graceMs: 2000,
      leaseGraceMs: 1000,
      repeatMs: 500,
      repeatMaxMs: 8000,
      keepMs: 3_600_000,
      imageNeed: ['criu'],
    },
    claimStepMs: 40,
    stateEveryMs: 5000,
    accept: 'commands',
    acceptFrom: ['*'],
    unsignedVerbs: UNSIGNED_VERBS,
    // Longer than a world lives, and less than wall clocks jump: an end that is thrown away by the wall clock is missing.
    keepSettledMs: plan.safetyMs + KEPT_AFTER_MS,
    statusKeptMs: 600_000,
  };
}
