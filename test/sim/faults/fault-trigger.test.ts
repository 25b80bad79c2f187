/** Triggers count matching steps, fire once, and aim at the node that took the step. */
import { describe, expect, it } from 'vitest';
import { aimStrikes, createFaultTriggers } from '../../../src/sim/faults/fault-trigger.js';
import { STEPPER, type FaultTrigger } from '../../../src/sim/plan/plan.js';

const TRIGGER: FaultTrigger = {
  kind: 'trigger',
  node: '*',
  step: 'owner:ack',
  nth: 2,
  at: 0,
  strikes: [
    { kind: 'crash', node: STEPPER, at: 0, until: 3000 },
    { kind: 'cut', from: STEPPER, to: '*', at: 500, until: 9000 },
  ],
};

/** The nodes at which the trigger fires during these steps. */
function fire(trigger: FaultTrigger, steps: readonly (readonly [node: string, step: string])[]): readonly string[] {
  const triggers = createFaultTriggers();
  const fired: string[] = [];
  triggers.add(trigger, (stepper) => fired.push(stepper));
  for (const [node, step] of steps) triggers.reached(node, step);
  return fired;
}

describe('a trigger', () => {
  it('fires at the step that it waits for, and only once', () => {
    const steps = [
      ['alpha', 'owner:ack'],
      ['alpha', 'owner:offer'],
      ['beta', 'owner:ack'],
      ['gamma', 'owner:ack'],
      ['gamma', 'owner:ack'],
    ] as const;
    expect(fire(TRIGGER, steps)).toEqual(['beta']);
  });

  it('for one node does not count the steps of others', () => {
    const steps = [
      ['alpha', 'owner:ack'],
      ['beta', 'owner:ack'],
      ['beta', 'owner:ack'],
    ] as const;
    expect(fire({ ...TRIGGER, node: 'beta' }, steps)).toEqual(['beta']);
  });

  it('does not fire once it is disarmed', () => {
    const triggers = createFaultTriggers();
    const fired: string[] = [];
    triggers.add({ ...TRIGGER, nth: 1 }, (stepper) => fired.push(stepper));
    triggers.clear();
    triggers.reached('alpha', 'owner:ack');
    expect(fired).toEqual([]);
  });

  it('strikes the node that took the step, and not after the end of the faults', () => {
    expect(aimStrikes(TRIGGER, 'beta', 1000, 5000)).toEqual([
      { kind: 'crash', node: 'beta', at: 1000, until: 4000 },
      { kind: 'cut', from: 'beta', to: '*', at: 1500, until: 5000 },
    ]);
    expect(aimStrikes(TRIGGER, 'beta', 4800, 5000)).toEqual([{ kind: 'crash', node: 'beta', at: 4800, until: 5000 }]);
  });
});
