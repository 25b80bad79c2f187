/** The state that a node publishes: accepted items count immediately, before their load shows. */
import { describe, expect, it } from 'vitest';
import { deriveState, projectRatio, type NodeStateContext } from '../../src/core/node-state.js';
import type { Guest } from '../../src/core/receiver/guest.js';
import { claimed, collecting, ended, running, type GuestRun } from './receiver/receiver-run.js';

const facts: NodeStateContext = {
  loadRatio: 0.5,
  trit: 0,
  cpus: 2,
  cpuPercent: 120,
  memoryPercent: -1,
  psiPercent: undefined,
  diskRoom: undefined,
  isDiskFull: false,
  guestCpuPercent: 60,
  slots: 2,
  draining: false,
  accepting: true,
  queued: 1,
  deferred: 2,
  scum: 3,
  rejected: 4,
  ttlS: 45,
};

function guestsOf(...runs: readonly GuestRun[]): Guest[] {
  return runs.flatMap((run) => (run.guest === null ? [] : [run.guest]));
}

describe('deriveState', () => {
  it('counts a claim as a slot and as load, but not as a guest', () => {
    expect(deriveState(facts, guestsOf(claimed()), 0)).toMatchObject({ slots_free: 1, guests: 0, projected_ratio: 1 });
  });

  it('counts nothing for a guest that has ended', () => {
    expect(deriveState(facts, guestsOf(collecting(), ended()), 0)).toMatchObject({
      slots_free: 2,
      guests: 0,
      projected_ratio: 0.5,
    });
  });

  it('leaves the guests out of the own ratio, which is never below 0', () => {
    expect(deriveState(facts, [], 0).own_ratio).toBe(0.2);
    expect(deriveState({ ...facts, guestCpuPercent: 500 }, [], 0).own_ratio).toBe(0);
  });

  it('has no free slot while the node drains', () => {
    expect(deriveState({ ...facts, draining: true }, [], 0).slots_free).toBe(0);
  });

  it('publishes free disk space less what is promised, or leaves it out if not known', () => {
    const guest = (phase: Guest['phase']): Guest =>
      guestsOf(claimed()).map((one): Guest => ({ ...one, phase, need: { ...one.need, disk_bytes: 1000 } }))[0] as Guest;
    const tell = (room: number | undefined, guests: readonly Guest[], isDiskFull = false) =>
      deriveState({ ...facts, diskRoom: room, isDiskFull }, guests, 0).disk_free_bytes;
    expect('disk_free_bytes' in deriveState(facts, [], 0)).toBe(false);
    expect(tell(2000, [guest('claimed')])).toBe(992);
    expect(tell(2000, [guest('claimed'), guest('fetching')])).toBe(1);
    expect(tell(2000, [guest('running'), guest('ended')])).toBe(1984);
    expect(deriveState({ ...facts, diskRoom: 0, isDiskFull: true }, [], 0)).toMatchObject({
      disk_free_bytes: 0,
      slots_free: 0,
    });
  });

  it('keeps percents within 0 and 100, and leaves out what the kernel does not report', () => {
    const state = deriveState(facts, [], 0);
    expect(state).toMatchObject({ cpu_percent: 100, memory_percent: 0 });
    expect('psi_percent' in state).toBe(false);
    expect(deriveState({ ...facts, psiPercent: 2.34567 }, [], 0).psi_percent).toBe(2.346);
  });
});

describe('projectRatio', () => {
  it('lets the load of a running guest fade as the metric begins to show it', () => {
    const guests = guestsOf(running());
    expect(projectRatio(0.5, 2, guests, 0)).toBeCloseTo(1);
    expect(projectRatio(0.5, 2, guests, 20_000)).toBeCloseTo(0.5 + 0.5 / Math.E);
    expect(projectRatio(0.5, 2, guests, 400_000)).toBeCloseTo(0.5);
  });
});
