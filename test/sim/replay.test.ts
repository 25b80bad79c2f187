/** A seed determines a run completely, and a plan can be saved and replayed. */
import { describe, expect, it } from 'vitest';
import { generatePlan } from '../../src/sim/plan/generate-plan.js';
import { runPlan } from '../../src/sim/run-plan.js';
import type { Plan } from '../../src/sim/plan/plan.js';

function traceRun(plan: Plan): readonly string[] {
  const lines: string[] = [];
  runPlan(plan, (line) => lines.push(line));
  return lines;
}

/** Seeds whose plans have triggers. */
function findTriggered(count: number): readonly number[] {
  const seeds: number[] = [];
  for (let seed = 1; seeds.length < count; seed += 1) {
    if (generatePlan(seed).faults.some((fault) => fault.kind === 'trigger')) seeds.push(seed);
  }
  return seeds;
}

describe('a seed', () => {
  it.each(findTriggered(4))('%i runs the same way twice, line by line', (seed) => {
    expect(traceRun(generatePlan(seed))).toEqual(traceRun(generatePlan(seed)));
  });

  it('gives a plan that can be saved and replayed', () => {
    const plan = generatePlan(3);
    const read = JSON.parse(JSON.stringify(plan)) as Plan;
    expect(traceRun(read)).toEqual(traceRun(plan));
  });

  it('runs differently from the next seed', () => {
    expect(traceRun(generatePlan(1))).not.toEqual(traceRun(generatePlan(2)));
  });
});
