/**
 * Whole conversations, as text: owner and receivers wired to each other in memory. A change of a transcript is a change of the
 * protocol; `npx vitest run test/core/golden.test.ts -u` writes them anew.
 */
import { describe, expect, test } from 'vitest';
import type { Plan } from './world/plan.js';
import { live } from './world/world.js';

const calm: Plan = {
  seed: 1,
  retry: 'rerun',
  attempts: 3,
  inputs: false,
  outputs: false,
  restartable: false,
  runMs: 100,
  dropPercent: 0,
  twicePercent: 0,
  delayMs: 5,
  crashes: [],
  cancelAt: undefined,
  moveAt: undefined,
};

describe('the conversation about', () => {
  test.each<[string, Partial<Plan>, string]>([
    ['command', {}, 'done'],
    ['files', { inputs: true, outputs: true, runMs: 3000 }, 'done'],
    ['cancelled', { runMs: 9000, cancelAt: 1000 }, 'cancelled'],
    ['moved', { restartable: true, outputs: true, runMs: 5000, moveAt: 1000 }, 'done'],
    ['owner-restart', { runMs: 5000, crashes: [{ node: 'alpha', at: 1000, downMs: 500 }] }, 'done'],
    ['receiver-lost', { runMs: 9000, crashes: [{ node: 'beta', at: 1000, downMs: 20_000 }] }, 'done'],
  ])('%s', async (name, change, phase) => {
    const fate = live({ ...calm, ...change });
    expect(fate).toMatchObject({ violations: [], phase });
    await expect(`${fate.lines.join('\n')}\n`).toMatchFileSnapshot(`golden/${name}.txt`);
  });
});
