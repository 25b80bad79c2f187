/** A seed is a whole story: told twice it is the same, and a plan survives being written down. */
import { describe, expect, it } from 'vitest';
import { drawPlan } from '../../src/sim/draw-plan.js';
import { live } from '../../src/sim/live.js';
import type { Plan } from '../../src/sim/plan.js';

function tell(plan: Plan): readonly string[] {
  const lines: string[] = [];
  live(plan, (line) => lines.push(line));
  return lines;
}

/** Seeds that have ambushes which strike. */
function findAmbushed(count: number): readonly number[] {
  const seeds: number[] = [];
  for (let seed = 1; seeds.length < count; seed += 1) {
    if (drawPlan(seed).faults.some((fault) => fault.kind === 'ambush')) seeds.push(seed);
  }
  return seeds;
}

describe('a seed', () => {
  it.each(findAmbushed(4))('%i is lived twice in the same way, line by line', (seed) => {
    expect(tell(drawPlan(seed))).toEqual(tell(drawPlan(seed)));
  });

  it('gives a plan that can be written down and lived from there', () => {
    const plan = drawPlan(3);
    const read = JSON.parse(JSON.stringify(plan)) as Plan;
    expect(tell(read)).toEqual(tell(plan));
  });

  it('differs from its neighbour', () => {
    expect(tell(drawPlan(1))).not.toEqual(tell(drawPlan(2)));
  });
});
