/**
 * A run is stopped before its time. The cause is journalled BEFORE the signal, so that a restart of the node in between
 * does not take the exit for the item's own.
 */
import type { Step } from '../effects.js';
import { guestName, persistGuest, type Guest, type StopCause } from './guest.js';

/** Stops the run; a cause that weighs more replaces an earlier one. */
export function stopRun(guest: Guest, cause: StopCause, reason: string, graceMs: number): Step<Guest> {
  if (guest.stopping !== null && WEIGHT[guest.stopping] >= WEIGHT[cause]) return { state: guest, effects: [] };
  const next: Guest = { ...guest, stopping: cause, stopReason: reason };
  return {
    state: next,
    effects: [persistGuest(next), { type: 'StopRun', guest: guestName(guest), graceMs, asks: asks(guest, cause) }],
  };
}

/** A cooperative program is asked to save and end by itself before it is told to. */
function asks(guest: Guest, cause: StopCause): boolean {
  return cause === 'vacate' && guest.command?.migrate === 'cooperative';
}

const WEIGHT: Readonly<Record<StopCause, number>> = { wall: 1, output: 1, vacate: 1, cancel: 2, lease: 3, gone: 4 };

/** Whether the item may be stopped and started again elsewhere. */
export function canVacate(guest: Guest): boolean {
  return guest.command?.migrate === 'restart' || guest.command?.migrate === 'cooperative';
}
