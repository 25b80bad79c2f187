/** Maps processes to guests, and knows what each guest uses. */
import { isLive, type Guest } from '../core/receiver/guest.js';
import type { Runner } from '../run/runner.js';
import type { ProcessSample } from '../sense/sense.js';

/** Finds guests by process, and what they use. */
export interface GuestIndex {
  /** Reads the processes of all guests again; the other answers come from that. */
  update(processes: readonly ProcessSample[]): void;
  /** The item that a process belongs to, and whether it may be moved. */
  describePid(pid: number): { readonly item: string; readonly movable: boolean } | undefined;
  /** The pids of each run in the last sample. */
  pids(): ReadonlyMap<string, readonly number[]>;
  /** The guest that a process belongs to now, as `<owner>/<item>/<epoch>`. */
  findByPid(pid: number): string | undefined;
  /** Live guests by processor use, heaviest first. */
  heaviest(): readonly string[];
  /** Share of one core that all guests used in the last sample, 0..100 times the number of cores. */
  cpuPercent(): number;
  /** What a guest used in the last sample. */
  usage(guest: string): GuestUsage;
}

/** What the processes of a guest use together. */
export interface GuestUsage {
  /** Share of one core, 0..100 times the number of cores. */
  readonly score: number;
  readonly memoryBytes: number;
  /** Age of the oldest process, ms. */
  readonly ranMs: number;
}

const NOTHING_USED: GuestUsage = { score: 0, memoryBytes: 0, ranMs: 0 };

/** Creates an index over the guests of a node. `memoryBytes`: memory of the machine. */
export function createGuestIndex(
  guests: ReadonlyMap<string, Guest>,
  runner: Pick<Runner, 'pids'>,
  memoryBytes: () => number,
): GuestIndex {
  let pids: ReadonlyMap<string, readonly number[]> = new Map();
  let byPid = new Map<number, string>();
  let usages = new Map<string, GuestUsage>();
  let cpuPercent = 0;

  function update(processes: readonly ProcessSample[]): void {
    // An empty list is no measurement: the usages of the last one stand.
    if (processes.length === 0) return;
    pids = runner.pids();
    byPid = invert(pids);
    usages = new Map();
    for (const one of processes) {
      const guest = byPid.get(one.pid);
      if (guest !== undefined) usages.set(guest, addUsage(usages.get(guest) ?? NOTHING_USED, one, memoryBytes()));
    }
    // Fixed until the next list: the load of a guest that ends is in the load samples for a while.
    cpuPercent = [...usages].filter(([guest]) => guests.has(guest)).reduce((sum, [, { score }]) => sum + score, 0);
  }

  function describePid(pid: number): { readonly item: string; readonly movable: boolean } | undefined {
    const guest = guests.get(byPid.get(pid) ?? '');
    if (guest === undefined) return undefined;
    return { item: guest.item, movable: (guest.command?.migrate ?? 'never') !== 'never' };
  }

  return {
    update,
    describePid,
    pids: () => pids,
    findByPid: (pid) => invert(runner.pids()).get(pid),
    heaviest: () =>
      [...guests.entries()]
        .filter(([, guest]) => isLive(guest) && guest.phase === 'running')
        .map(([name]) => name)
        .toSorted((a, b) => (usages.get(b)?.score ?? 0) - (usages.get(a)?.score ?? 0)),
    cpuPercent: () => cpuPercent,
    usage: (guest) => usages.get(guest) ?? NOTHING_USED,
  };
}

function addUsage(usages: GuestUsage, process: ProcessSample, memoryBytes: number): GuestUsage {
  return {
    score: usages.score + process.cpuPercent,
    memoryBytes: usages.memoryBytes + (process.memoryPercent / 100) * memoryBytes,
    ranMs: Math.max(usages.ranMs, 1000 * process.ageS),
  };
}

function invert(pids: ReadonlyMap<string, readonly number[]>): Map<number, string> {
  const inverted = new Map<number, string>();
  for (const [run, members] of pids) for (const pid of members) inverted.set(pid, run);
  return inverted;
}
