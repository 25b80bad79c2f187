/**
 * Which process belongs to which guest, and which guests are the heaviest.
 */
import { isLive } from '../core/receiver/guest.js';
import type { Hosting } from '../pipelines/host.js';
import type { Runner } from '../run/runner.js';
import type { ProcessSample } from '../sense/sense.js';

/** Finds guests by process. */
export interface GuestIndex {
  /** Looks the processes of all guests up anew; the other questions are answered from that. */
  update(processes: readonly ProcessSample[]): void;
  /** The item that a process belongs to, and whether it may be moved. */
  describePid(pid: number): { readonly item: string; readonly movable: boolean } | undefined;
  /** The pids of each run at the last look. */
  pids(): ReadonlyMap<string, readonly number[]>;
  /** The guest that a process belongs to now, as `<owner>/<item>/<epoch>`. */
  findByPid(pid: number): string | undefined;
  /** Live guests by the share of a core that they use, heaviest first. */
  heaviest(): readonly string[];
  /** What a guest used at the last look. */
  usage(guest: string): GuestUsage;
}

/** What the processes of a guest use together. */
export interface GuestUsage {
  /** Share of one core, 0..100 times the cores. */
  readonly score: number;
  readonly memoryBytes: number;
  /** Age of the oldest, ms. */
  readonly ranMs: number;
}

const NOTHING_USED: GuestUsage = { score: 0, memoryBytes: 0, ranMs: 0 };

/** Makes an index over the guests of a node. `memoryBytes`: memory of the machine. */
export function createGuestIndex(host: Hosting, runner: Runner, memoryBytes: () => number): GuestIndex {
  let pids: ReadonlyMap<string, readonly number[]> = new Map();
  let byPid = new Map<number, string>();
  let used = new Map<string, GuestUsage>();

  function update(processes: readonly ProcessSample[]): void {
    pids = runner.pids();
    byPid = invert(pids);
    used = new Map();
    for (const one of processes) {
      const guest = byPid.get(one.pid);
      if (guest !== undefined) used.set(guest, addUsage(used.get(guest) ?? NOTHING_USED, one, memoryBytes()));
    }
  }

  function describePid(pid: number): { readonly item: string; readonly movable: boolean } | undefined {
    const guest = host.ledger.states.get(byPid.get(pid) ?? '');
    if (guest === undefined) return undefined;
    return { item: guest.item, movable: (guest.command?.migrate ?? 'never') !== 'never' };
  }

  return {
    update,
    describePid,
    pids: () => pids,
    findByPid: (pid) => invert(runner.pids()).get(pid),
    heaviest: () =>
      [...host.ledger.states.entries()]
        .filter(([, guest]) => isLive(guest) && guest.phase === 'running')
        .map(([name]) => name)
        .toSorted((a, b) => (used.get(b)?.score ?? 0) - (used.get(a)?.score ?? 0)),
    usage: (guest) => used.get(guest) ?? NOTHING_USED,
  };
}

function addUsage(used: GuestUsage, process: ProcessSample, memoryBytes: number): GuestUsage {
  return {
    score: used.score + process.cpuPercent,
    memoryBytes: used.memoryBytes + (process.memoryPercent / 100) * memoryBytes,
    ranMs: Math.max(used.ranMs, 1000 * process.ageS),
  };
}

function invert(pids: ReadonlyMap<string, readonly number[]>): Map<number, string> {
  const inverted = new Map<number, string>();
  for (const [run, members] of pids) for (const pid of members) inverted.set(pid, run);
  return inverted;
}
