/**
 * The condition of this node: its own state as it will be published, from the last sample, its trit, its guests and what
 * people have set. Accepted items count at once, before their load shows.
 */
import { countSlots } from '../protocol/item.js';
import type { State, Trit } from '../protocol/messages.js';
import { roundRoom } from './disk-room.js';
import { countPromised, countTaken, isLive, type Guest } from './receiver/guest.js';

/** What the condition is made of. */
export interface ConditionFacts {
  readonly loadRatio: number;
  readonly trit: Trit;
  readonly cpus: number;
  readonly cpuPercent: number;
  readonly memoryPercent: number;
  readonly psiPercent: number | undefined;
  /** Room on the disk beyond the reserve, bytes; `undefined` if not known. */
  readonly diskRoom: number | undefined;
  /** Below the reserve nothing is taken on. */
  readonly isDiskFull: boolean;
  /** Share of one core that the guests' processes use together, 0..100 times the cores. */
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

/** How fast the load metric shows a new item, ms: the time constant of `ewma`. */
const SHOW_MS = 20_000;

/** The state to publish. */
export function deriveState(facts: ConditionFacts, guests: Iterable<Guest>, now: number): State {
  const live = [...guests].filter(isLive);
  const taken = countTaken(live);
  return {
    trit: facts.trit,
    load_ratio: round(facts.loadRatio),
    own_ratio: round(Math.max(0, facts.loadRatio - facts.guestCpuPercent / 100 / facts.cpus)),
    projected_ratio: round(projectRatio(facts.loadRatio, facts.cpus, live, now)),
    cpus: facts.cpus,
    cpu_percent: round(clampPercent(facts.cpuPercent)),
    memory_percent: round(clampPercent(facts.memoryPercent)),
    ...(facts.psiPercent === undefined ? {} : { psi_percent: round(clampPercent(facts.psiPercent)) }),
    ...(facts.diskRoom === undefined
      ? {}
      : { disk_free_bytes: roundRoom(facts.diskRoom - countPromised(live), facts.isDiskFull) }),
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

/** The ratio with that part of the guests' load added which the metric has not shown yet. */
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

/** Three decimals: more would change the text of a state without telling anybody anything. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
