/**
 * Stops a run early. The cause is journalled BEFORE the signal, so after a restart in between the exit is not mistaken
 * for one of the item's own.
 */
import type { Step } from '../effects.js';
import { persistGuest, type Guest, type StopCause } from './guest.js';
import { guestName } from './guest-name.js';

/** Stops the run. A cause with a higher weight replaces an earlier one. */
export function stopRun(guest: Guest, cause: StopCause, reason: string, graceMs: number): Step<Guest> {
  if (guest.stopping !== null && WEIGHT[guest.stopping] >= WEIGHT[cause]) return { state: guest, effects: [] };
  const next: Guest = { ...guest, stopping: cause, stopReason: reason };
  return {
    state: next,
    effects: [persistGuest(next), { type: 'StopRun', guest: guestName(guest), graceMs, asks: asks(guest, cause) }],
  };
}

/** Whether a cooperative program is first asked, with SIGUSR1, to save and exit. */
function asks(guest: Guest, cause: StopCause): boolean {
  return cause === 'vacate' && guest.command?.migrate === 'cooperative';
}

const WEIGHT: Readonly<Record<StopCause, number>> = { wall: 1, output: 1, vacate: 1, cancel: 2, lease: 3, gone: 4 };

/** Whether the item may be stopped and started again elsewhere. */
export function canVacate(guest: Guest): boolean {
  return guest.command?.migrate === 'restart' || guest.command?.migrate === 'cooperative';
}
