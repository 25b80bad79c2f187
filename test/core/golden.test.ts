/**
 * Whole conversations as text: an owner and its receivers, connected in memory. A changed transcript is a changed
 * protocol; `npx vitest run test/core/golden.test.ts -u` rewrites them.
 */
import { describe, expect, it } from 'vitest';
import type { Plan } from './world/plan.js';
import { runWorld } from './world/world.js';

const calm: Plan = {
  seed: 1,
  retry: 'rerun',
  attempts: 3,
  inputs: false,
  outputs: false,
  restartable: false,
  runMs: 25,
  lateStartMs: 20,
  dropPercent: 0,
  twicePercent: 0,
  delayMs: 5,
  crashes: [],
  cancelAt: undefined,
  moveAt: undefined,
};

describe('the conversation about', () => {
  it.each<[string, Partial<Plan>, string]>([
    ['command', {}, 'done'],
    ['files', { inputs: true, outputs: true, runMs: 3000 }, 'done'],
    ['cancelled', { runMs: 9000, cancelAt: 1000 }, 'cancelled'],
    ['moved', { restartable: true, outputs: true, runMs: 5000, moveAt: 1000 }, 'done'],
    ['owner-restart', { runMs: 5000, crashes: [{ node: 'alpha', at: 1000, downMs: 500 }] }, 'done'],
    ['receiver-lost', { runMs: 9000, crashes: [{ node: 'beta', at: 1000, downMs: 20_000 }] }, 'done'],
  ])('%s', async (name, change, phase) => {
    const fate = runWorld({ ...calm, ...change });
    expect(fate).toMatchObject({ violations: [], phase });
    await expect(`${fate.lines.join('\n')}\n`).toMatchFileSnapshot(`golden/${name}.txt`);
  });
});
