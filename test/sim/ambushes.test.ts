/** Ambushes count the steps they are meant for, spring once, and aim at the node that took the step. */
import { describe, expect, it } from 'vitest';
import { aimStrikes, createAmbushes } from '../../src/sim/ambushes.js';
import { STEPPER, type Ambush } from '../../src/sim/plan.js';

const AMBUSH: Ambush = {
  kind: 'ambush',
  node: '*',
  step: 'owner:ack',
  nth: 2,
  at: 0,
  strikes: [
    { kind: 'crash', node: STEPPER, at: 0, until: 3000 },
    { kind: 'cut', from: STEPPER, to: '*', at: 500, until: 9000 },
  ],
};

/** The nodes that sprang the ambush while these steps were taken. */
function spring(ambush: Ambush, steps: readonly (readonly [node: string, step: string])[]): readonly string[] {
  const ambushes = createAmbushes();
  const sprung: string[] = [];
  ambushes.lay(ambush, (stepper) => sprung.push(stepper));
  for (const [node, step] of steps) ambushes.reached(node, step);
  return sprung;
}

describe('an ambush', () => {
  it('springs at the step that was asked for, and only once', () => {
    const steps = [
      ['alpha', 'owner:ack'],
      ['alpha', 'owner:offer'],
      ['beta', 'owner:ack'],
      ['gamma', 'owner:ack'],
      ['gamma', 'owner:ack'],
    ] as const;
    expect(spring(AMBUSH, steps)).toEqual(['beta']);
  });

  it('of one node does not count the steps of others', () => {
    const steps = [
      ['alpha', 'owner:ack'],
      ['beta', 'owner:ack'],
      ['beta', 'owner:ack'],
    ] as const;
    expect(spring({ ...AMBUSH, node: 'beta' }, steps)).toEqual(['beta']);
  });

  it('that is taken away springs no more', () => {
    const ambushes = createAmbushes();
    const sprung: string[] = [];
    ambushes.lay({ ...AMBUSH, nth: 1 }, (stepper) => sprung.push(stepper));
    ambushes.clear();
    ambushes.reached('alpha', 'owner:ack');
    expect(sprung).toEqual([]);
  });

  it('strikes the node that took the step, and not after the end of the faults', () => {
    expect(aimStrikes(AMBUSH, 'beta', 1000, 5000)).toEqual([
      { kind: 'crash', node: 'beta', at: 1000, until: 4000 },
      { kind: 'cut', from: 'beta', to: '*', at: 1500, until: 5000 },
    ]);
    expect(aimStrikes(AMBUSH, 'beta', 4800, 5000)).toEqual([{ kind: 'crash', node: 'beta', at: 4800, until: 5000 }]);
  });
});
