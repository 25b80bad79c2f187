/**
 * Checks the promises of the protocol in many small worlds, see `world.ts`. A failure prints the plan that breaks one.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyPlan, type Plan } from './plan.js';
import { runWorld } from './world.js';

const calm: Plan = {
  seed: 1,
  retry: 'once',
  attempts: 1,
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

describe('a world', () => {
  it.each<[string, Partial<Plan>]>([
    ['a command', {}],
    ['a command with inputs and outputs', { inputs: true, outputs: true }],
  ])('without faults runs %s once and settles', (_title, change) => {
    expect(runWorld({ ...calm, ...change })).toMatchObject({ violations: [], phase: 'done', starts: 1 });
  });

  it('in which a running item is moved runs it again elsewhere', () => {
    const result = runWorld({ ...calm, retry: 'rerun', restartable: true, runMs: 5000, moveAt: 1000, outputs: true });
    expect(result).toMatchObject({ violations: [], phase: 'done', starts: 2 });
  });

  it('with faults keeps all promises, and settles when the faults stop', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(anyPlan, (plan) => {
        const { violations, phase, lines } = runWorld(plan);
        seen.set(phase, (seen.get(phase) ?? 0) + 1);
        if (violations.length > 0) throw new Error([...violations, ...lines.slice(-60)].join('\n'));
      }),
      { numRuns: Number(process.env['TRITMESH_WORLDS'] ?? 2000) },
    );
    // A node that gave up every item would keep all promises, too.
    expect(seen.get('done') ?? 0).toBeGreaterThan(50);
  });
});
