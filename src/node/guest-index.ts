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
  /** Share of one core that a guest used at the last look, 0..100 times the cores. */
  cpuPercent(guest: string): number;
}

/** Makes an index over the guests of a node. */
export function createGuestIndex(host: Hosting, runner: Runner): GuestIndex {
  let pids: ReadonlyMap<string, readonly number[]> = new Map();
  let byPid = new Map<number, string>();
  let cpu = new Map<string, number>();

  function update(processes: readonly ProcessSample[]): void {
    pids = runner.pids();
    byPid = invert(pids);
    cpu = new Map();
    for (const one of processes) {
      const guest = byPid.get(one.pid);
      if (guest !== undefined) cpu.set(guest, (cpu.get(guest) ?? 0) + one.cpuPercent);
    }
  }

  function describePid(pid: number): { readonly item: string; readonly movable: boolean } | undefined {
    const guest = host.ledger.states.get(byPid.get(pid) ?? '');
    if (guest === undefined) return undefined;
    return { item: guest.item, movable: guest.command?.migrate === 'restart' };
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
        .toSorted((a, b) => (cpu.get(b) ?? 0) - (cpu.get(a) ?? 0)),
    cpuPercent: (guest) => cpu.get(guest) ?? 0,
  };
}

function invert(pids: ReadonlyMap<string, readonly number[]>): Map<number, string> {
  const inverted = new Map<number, string>();
  for (const [run, members] of pids) for (const pid of members) inverted.set(pid, run);
  return inverted;
}
