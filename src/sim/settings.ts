/**
 * The settings of simulated nodes. Leases are short enough that many end within a run, but all proportions are those of
 * production: the grace times and the watchdog's deadline are over before the owner's margin is.
 */
import { DEFAULT_TRIT_RULES } from '../core/mesh/trit.js';
import type { NodeSettings } from '../pipelines/settings.js';
import { UNSIGNED_VERBS } from '../protocol/requests.js';
import type { Plan } from './plan/plan.js';

/** The base topic of simulated meshes. */
export const SIM_BASE = 'sim';

/** Longer than a healed world may take to settle, ms. */
const KEPT_AFTER_MS = 600_000;
/** Disk space that simulated nodes keep free, bytes. */
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
    machineBoot: '1',
    // A completed write survives a power loss here. What a journal without fsync may lose is not simulated.
    journalSync: true,
    slots: plan.slots,
    diskReserve: { bytes: SIM_RESERVE, percent: 100 },
    trit: { ...DEFAULT_TRIT_RULES, plusHoldMs: 1000, minusHoldMs: 2000, ergodicHoldMs: 1000 },
    scumFormula: 'clamped',
    // Simulated machines list no processes: moves come from the placement policy and from users.
    scum: { throttle: 'off', migrate: 'managed', rules: [], sharePercent: 50, vacateAfterMs: 60_000 },
    pid: 0,
    brokerPort: 0,
    rebalance: plan.seed % 4 === 0 ? 'gf3' : 'pairs',
    mesh: { offlineAfterMs: 3000 },
    moves: { projectedMax: 0.65, gainMin: 0.1, cooldownMs: 5000, itemRestMs: 10_000 },
    owner: {
      // As in production, the margin is shorter than the lease: a late answer must not matter.
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
      silentMs: 100,
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
    // Longer than a run, and shorter than the jumps of wall clocks: a record that expired by the wall clock is missed.
    keepSettledMs: plan.safetyMs + KEPT_AFTER_MS,
    statusKeptMs: 600_000,
  };
}
