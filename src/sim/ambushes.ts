/**
 * The ambushes that lie in wait in a world: each counts the steps it is meant for, and springs once.
 */
import { STEPPER, type Ambush, type TimedFault } from './plan.js';

/** Ambushes in wait. */
export interface Ambushes {
  /** Lays one; `spring` is told who took the step. */
  lay(ambush: Ambush, spring: (stepper: string) => void): void;
  /** A node takes a step. */
  reached(node: string, step: string): void;
  /** Takes all away. */
  clear(): void;
}

/** Makes a world's ambushes: none yet. */
export function createAmbushes(): Ambushes {
  let lying: { readonly ambush: Ambush; readonly spring: (stepper: string) => void; left: number }[] = [];

  function reached(node: string, step: string): void {
    const met = lying.filter(({ ambush }) => ambush.step === step && (ambush.node === '*' || ambush.node === node));
    if (met.length === 0) return;
    for (const one of met) one.left -= 1;
    lying = lying.filter((one) => one.left > 0);
    for (const one of met) if (one.left === 0) one.spring(node);
  }

  return {
    lay: (ambush, spring) => {
      lying.push({ ambush, spring, left: ambush.nth });
    },
    reached,
    clear: () => {
      lying = [];
    },
  };
}

/** What strikes the node that took the step at `now`, in times since the beginning; nothing lasts beyond `endMs`. */
export function aimStrikes(ambush: Ambush, stepper: string, now: number, endMs: number): TimedFault[] {
  return ambush.strikes.map((fault) => aim(fault, stepper, now, endMs)).filter((fault) => fault.at < endMs);
}

function aim(fault: TimedFault, stepper: string, now: number, endMs: number): TimedFault {
  const name = (place: string): string => (place === STEPPER ? stepper : place);
  return {
    ...fault,
    at: now + fault.at,
    ...('until' in fault ? { until: Math.min(endMs, now + fault.until) } : {}),
    ...('node' in fault ? { node: name(fault.node) } : {}),
    ...(fault.kind === 'bad-lines' && fault.mute !== undefined ? { mute: name(fault.mute) } : {}),
    ...(fault.kind === 'cut' ? { from: name(fault.from), to: name(fault.to) } : {}),
  };
}
