/** The guests' share of the load: counted once, for the published state and for the throttle. */
import { expect, it } from 'vitest';
import { DEFAULT_TRIT_RULES } from '../../src/core/mesh/trit.js';
import { deriveState } from '../../src/core/node-state.js';
import { createGuestIndex } from '../../src/node/guest-index.js';
import { createProcessAssessment } from '../../src/pipelines/processes/assess-processes.js';
import type { ProcessSample } from '../../src/sense/sense.js';
import { running } from '../core/receiver/receiver-run.js';
import { createManualClock } from '../support/manual-clock.js';

const createProcess = (pid: number, cpuPercent: number): ProcessSample => ({
  pid,
  ppid: 1,
  name: 'job',
  cpuPercent,
  memoryPercent: 0,
  ageS: 1,
});

it('publishes the same own ratio by which guests are throttled, leaving out a forgotten run', () => {
  const { guest } = running();
  if (guest === null) throw new Error('the guest is forgotten');
  const runs = new Map([
    ['alpha/j1/1', [10, 11]],
    ['alpha/forgotten/1', [12]],
  ]);
  const index = createGuestIndex(new Map([['alpha/j1/1', guest]]), { pids: () => runs }, () => 1e9);
  const processes = [createProcess(10, 40), createProcess(11, 20), createProcess(12, 60), createProcess(13, 80)];
  index.update(processes);
  expect(index.cpuPercent()).toBe(60);
  // No measurement, so nothing changes: guests must not count as the machine's own load meanwhile.
  index.update([]);
  expect(index.cpuPercent()).toBe(60);

  const assessment = createProcessAssessment({
    self: 'beta',
    pid: 1,
    brokerPort: 1883,
    clock: createManualClock(),
    policies: { throttle: 'off', migrate: 'off', rules: [], sharePercent: 50, vacateAfterMs: 0 },
    formula: 'clamped',
    trit: DEFAULT_TRIT_RULES,
    obstacle: undefined,
    runs: () => [],
    guestCpuPercent: index.cpuPercent,
    moveObstacle: () => undefined,
  });
  assessment.handleProcesses(processes);
  assessment.handleLoad({ ratio: 0.9, cpus: 2, cpuPercent: 90, memoryPercent: 0, memoryBytes: 1e9 }, 1);
  const published = deriveState(
    {
      loadRatio: 0.9,
      trit: 1,
      cpus: 2,
      cpuPercent: 90,
      memoryPercent: 0,
      psiPercent: undefined,
      diskRoom: undefined,
      isDiskFull: false,
      guestCpuPercent: index.cpuPercent(),
      slots: 2,
      draining: false,
      accepting: true,
      queued: 0,
      deferred: 0,
      scum: 0,
      rejected: 0,
      ttlS: 45,
    },
    [guest],
    0,
  );
  expect(published.own_ratio).toBe(0.6);
  expect(assessment.context(new Map()).ownRatio).toBeCloseTo(0.6);
});
