/** A node's own state as it publishes it: accepted items count at once, before their load shows. */
import { describe, expect, test } from 'vitest';
import { deriveState, projectRatio, type ConditionFacts } from '../../src/core/condition.js';
import type { Guest } from '../../src/core/receiver/guest.js';
import { claimed, collecting, ended, running, type GuestRun } from './receiver/receiver-run.js';

const facts: ConditionFacts = {
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
  test('a claim takes a slot and counts as load, but is no guest yet', () => {
    expect(deriveState(facts, guestsOf(claimed()), 0)).toMatchObject({ slots_free: 1, guests: 0, projected_ratio: 1 });
  });

  test('a guest that ended takes nothing', () => {
    expect(deriveState(facts, guestsOf(collecting(), ended()), 0)).toMatchObject({
      slots_free: 2,
      guests: 0,
      projected_ratio: 0.5,
    });
  });

  test('the own ratio leaves the guests out and is never below 0', () => {
    expect(deriveState(facts, [], 0).own_ratio).toBe(0.2);
    expect(deriveState({ ...facts, guestCpuPercent: 500 }, [], 0).own_ratio).toBe(0);
  });

  test('a draining node has no free slot', () => {
    expect(deriveState({ ...facts, draining: true }, [], 0).slots_free).toBe(0);
  });

  test('room is told less what is promised and not written yet; what is not known is left out', () => {
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

  test('percents stay within 0 and 100, and what the kernel does not tell is left out', () => {
    const state = deriveState(facts, [], 0);
    expect(state).toMatchObject({ cpu_percent: 100, memory_percent: 0 });
    expect('psi_percent' in state).toBe(false);
    expect(deriveState({ ...facts, psiPercent: 2.34567 }, [], 0).psi_percent).toBe(2.346);
  });
});

describe('projectRatio', () => {
  test('the load of a running guest fades into what the metric shows', () => {
    const guests = guestsOf(running());
    expect(projectRatio(0.5, 2, guests, 0)).toBeCloseTo(1);
    expect(projectRatio(0.5, 2, guests, 20_000)).toBeCloseTo(0.5 + 0.5 / Math.E);
    expect(projectRatio(0.5, 2, guests, 400_000)).toBeCloseTo(0.5);
  });
});
