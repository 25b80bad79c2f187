/** Drives a guest by hand: inputs go in one by one, and the effects of the last step are kept as text. */
import type { Reason } from '../../../src/protocol/reasons.js';
import type { Effect } from '../../../src/core/effects.js';
import { claimOffer } from '../../../src/core/receiver/claim.js';
import type { Guest } from '../../../src/core/receiver/guest.js';
import type { GuestInput } from '../../../src/core/receiver/inputs.js';
import { nextGuestTimerAt, stepReceiver } from '../../../src/core/receiver/step.js';
import type { Command } from '../../../src/protocol/item.js';
import type { Ack, Lease, LeaseOrder } from '../../../src/protocol/work-messages.js';
import { describeEffects } from '../../support/effect-text.js';
import { command, createOffer, instant, receiverRules } from '../../support/samples.js';

/** The state of a guest, and the effects of the last input. */
export interface GuestRun {
  readonly guest: Guest | null;
  readonly effects: readonly string[];
  readonly raw: readonly Effect[];
  readonly ms: number;
}

/** The number of the claim that every run starts with. */
export const CLAIM = 1001;

/** A claim for epoch 1 of alpha's item j1, at 0. */
export function claimed(): GuestRun {
  const terms = {
    owner: 'alpha',
    item: 'j1',
    offer: createOffer(),
    rank: 0,
    renewal: CLAIM,
    projectedRatio: 0.1,
    slotsFree: 2,
  };
  const { state, effects } = claimOffer(terms, instant(0), receiverRules);
  return { guest: state, effects: describeEffects(effects), raw: effects, ms: 0 };
}

/** Feeds one input at `ms`; without it no time passes. */
export function feed(run: GuestRun, input: GuestInput, ms?: number): GuestRun {
  if (run.guest === null) throw new Error('the guest is forgotten');
  const at = ms ?? run.ms;
  const { state, effects } = stepReceiver(run.guest, input, instant(at), receiverRules);
  return { guest: state, effects: describeEffects(effects), raw: effects, ms: at };
}

/** When the guest next needs `TimePassed`. */
export function wakeOf(run: GuestRun): number {
  if (run.guest === null) throw new Error('the guest is forgotten');
  return nextGuestTimerAt(run.guest, receiverRules);
}

/** Feeds `TimePassed` at `ms`. */
export function pass(run: GuestRun, ms: number): GuestRun {
  return feed(run, { type: 'TimePassed' }, ms);
}

export function ack(change: Partial<Ack> = {}, obstacle?: Reason): GuestInput {
  const said: Ack = {
    epoch: 1,
    to: 'beta',
    renewal: CLAIM,
    lease_ms: 6000,
    transport: 'none',
    urls: [],
    command,
    ...change,
  };
  return { type: 'AckHeard', ack: said, obstacle };
}

/** An ack whose command and files are to be fetched. */
export function ackWithFiles(): GuestInput {
  return ack({
    transport: 'https',
    urls: ['https://127.0.0.1:4000'],
    manifest_sha256: 'a'.repeat(64),
    command: undefined,
  });
}

export function lease(order: LeaseOrder, renewal: number, change: Partial<Lease> = {}): GuestInput {
  return { type: 'LeaseHeard', lease: { epoch: 1, to: 'beta', renewal, order, ...change } };
}

export const handle: { readonly pid: number; readonly start: string } = { pid: 7, start: '100' };
export const exited: GuestInput = { type: 'RunExited', exitCode: 0, signal: null, cpuS: 0.5, runMs: 20 };

/** A guest whose inputs have been fetched since 0; renewal 1002 was sent. */
export function fetching(): GuestRun {
  return feed(claimed(), ackWithFiles());
}

/** A guest that may have been started at 0. */
export function starting(change: Partial<Command> = {}): GuestRun {
  return feed(claimed(), ack({ command: { ...command, ...change } }));
}

/** A guest that has run since 0; renewal 1002 was sent. */
export function running(change: Partial<Command> = {}): GuestRun {
  return feed(starting(change), { type: 'RunStarted', handle });
}

/** A guest whose outputs are being collected. */
export function collecting(): GuestRun {
  return feed(running(), exited);
}

/** A guest whose result has been published since 0. */
export function ended(): GuestRun {
  return feed(collecting(), { type: 'Collected', bundle: { sha256: 'c'.repeat(64), bytes: 0, count: 0 } });
}
