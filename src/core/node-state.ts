/**
 * Derives the state that this node publishes, from its last sample, its trit, its guests and what people have set.
 * Accepted items count immediately, before the load metric shows them.
 */
import { countSlots } from '../protocol/item.js';
import type { State, Trit } from '../protocol/messages.js';
import { roundSpace } from './disk/disk-space.js';
import { countPromised, countTaken, isLive, type Guest } from './receiver/guest.js';

/** What the state is derived from. */
export interface NodeStateContext {
  readonly loadRatio: number;
  readonly trit: Trit;
  readonly cpus: number;
  readonly cpuPercent: number;
  readonly memoryPercent: number;
  readonly psiPercent: number | undefined;
  /** Free disk space beyond the reserve, bytes; `undefined` if not known. */
  readonly diskRoom: number | undefined;
  /** Free space is below the reserve: no new work is accepted. */
  readonly isDiskFull: boolean;
  /** What all processes of guests use of one core, 0..100 times the cores. */
  readonly guestCpuPercent: number;
  readonly slots: number;
  readonly draining: boolean;
  readonly accepting: boolean;
  readonly queued: number;
  readonly deferred: number;
  readonly scum: number;
  readonly rejected: number;
  readonly ttlS: number;
}

/** How fast the load metric follows a new item, ms: the time constant of its moving average. */
const SHOW_MS = 20_000;

/** Derives the state to publish. */
export function deriveState(facts: NodeStateContext, guests: Iterable<Guest>, now: number): State {
  const live = [...guests].filter(isLive);
  const taken = countTaken(live);
  return {
    trit: facts.trit,
    load_ratio: round(facts.loadRatio),
    own_ratio: round(ownRatio(facts)),
    projected_ratio: round(projectRatio(facts.loadRatio, facts.cpus, live, now)),
    cpus: facts.cpus,
    cpu_percent: round(clampPercent(facts.cpuPercent)),
    memory_percent: round(clampPercent(facts.memoryPercent)),
    ...(facts.psiPercent === undefined ? {} : { psi_percent: round(clampPercent(facts.psiPercent)) }),
    ...(facts.diskRoom === undefined
      ? {}
      : { disk_free_bytes: roundSpace(facts.diskRoom - countPromised(live), facts.isDiskFull) }),
    slots: facts.slots,
    slots_free: facts.draining || facts.isDiskFull ? 0 : Math.max(0, facts.slots - taken),
    guests: live.filter((guest) => guest.phase !== 'claimed').length,
    queued: facts.queued,
    deferred: facts.deferred,
    draining: facts.draining,
    accepting: facts.accepting,
    scum: facts.scum,
    rejected: facts.rejected,
    ttl_s: facts.ttlS,
  };
}

/**
 * The machine's own load ratio, without what its guests use. It is published, and decides when guests are throttled.
 */
export function ownRatio({
  loadRatio,
  cpus,
  guestCpuPercent,
}: Pick<NodeStateContext, 'loadRatio' | 'cpus' | 'guestCpuPercent'>): number {
  return Math.max(0, loadRatio - guestCpuPercent / 100 / cpus);
}

/** The load ratio plus the part of the guests' load that the metric does not show yet. */
export function projectRatio(ratio: number, cpus: number, live: Iterable<Guest>, now: number): number {
  let projected = ratio;
  for (const guest of live) {
    const unseen = guest.phase === 'running' ? Math.exp(-(now - guest.startedMs) / SHOW_MS) : 1;
    projected += (Math.min(guest.need.cpus, countSlots(guest.need)) / cpus) * unseen;
  }
  return projected;
}

function clampPercent(percent: number): number {
  return Math.min(100, Math.max(0, percent));
}

/** Rounds to three decimals: more would change the text of a state without any use to its readers. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
