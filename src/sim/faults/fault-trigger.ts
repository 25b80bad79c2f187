/**
 * Faults that wait for a certain step of a node. Each trigger counts the steps that match, and fires once.
 */
import { STEPPER, type FaultTrigger, type TimedFault } from '../plan/plan.js';

/** The armed triggers of a world. */
export interface FaultTriggers {
  /** Arms a trigger; `fire` is called with the node that took the step. */
  add(trigger: FaultTrigger, fire: (stepper: string) => void): void;
  /** To be called when a node reaches a step; fires the triggers that wait for it. */
  reached(node: string, step: string): void;
  /** Disarms all triggers. */
  clear(): void;
}

/** Creates the triggers of a world; none is armed. */
export function createFaultTriggers(): FaultTriggers {
  let armed: { readonly trigger: FaultTrigger; readonly fire: (stepper: string) => void; left: number }[] = [];

  function reached(node: string, step: string): void {
    const matching = armed.filter(
      ({ trigger }) => trigger.step === step && (trigger.node === '*' || trigger.node === node),
    );
    if (matching.length === 0) return;
    for (const one of matching) one.left -= 1;
    armed = armed.filter((one) => one.left > 0);
    for (const one of matching) if (one.left === 0) one.fire(node);
  }

  return {
    add: (trigger, fire) => {
      armed.push({ trigger, fire, left: trigger.nth });
    },
    reached,
    clear: () => {
      armed = [];
    },
  };
}

/** The faults of a trigger that fired at `now`, with absolute times and real node ids. None lasts beyond `endMs`. */
export function aimStrikes(trigger: FaultTrigger, stepper: string, now: number, endMs: number): TimedFault[] {
  return trigger.strikes.map((fault) => aim(fault, stepper, now, endMs)).filter((fault) => fault.at < endMs);
}

function aim(fault: TimedFault, stepper: string, now: number, endMs: number): TimedFault {
  const name = (place: string): string => (place === STEPPER ? stepper : place);
  return {
    ...fault,
    at: now + fault.at,
    ...('until' in fault ? { until: Math.min(endMs, now + fault.until) } : {}),
    ...('node' in fault ? { node: name(fault.node) } : {}),
    ...(fault.kind === 'bad-direct-paths' && fault.mute !== undefined ? { mute: name(fault.mute) } : {}),
    ...(fault.kind === 'cut' ? { from: name(fault.from), to: name(fault.to) } : {}),
  };
}
