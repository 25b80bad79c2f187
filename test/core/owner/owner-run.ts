/** Drives an item by hand: inputs go in one by one, and the effects of the last step are kept as text. */
import type { Effect } from '../../../src/core/effects.js';
import { stepOwner } from '../../../src/core/owner/step.js';
import { submitItem } from '../../../src/core/owner/submit.js';
import type { ItemInput } from '../../../src/core/owner/inputs.js';
import type { BundleInfo } from '../../../src/core/owner/item-record.js';
import type { OwnedItem } from '../../../src/core/owner/owned-item.js';
import type { Item } from '../../../src/protocol/item.js';
import type { ProgressReport, Result } from '../../../src/protocol/work-messages.js';
import { describeEffects } from '../../support/effect-text.js';
import { createItem, createResult, instant, ownerRules } from '../../support/samples.js';

/** The state of an item, and the effects of the last input. */
export interface OwnerRun {
  readonly state: OwnedItem;
  readonly effects: readonly string[];
  readonly raw: readonly Effect[];
  readonly ms: number;
}

/** Submits an item at 0. */
export function submit(change: Partial<Item> = {}): OwnerRun {
  const { state, effects } = submitItem({ item: createItem(change) }, instant(0), ownerRules);
  return { state, effects: describeEffects(effects), raw: effects, ms: 0 };
}

/** Feeds one input at `ms`; without it no time passes. */
export function feed(run: OwnerRun, input: ItemInput, ms?: number): OwnerRun {
  const { state, effects } = stepOwner(run.state, input, instant(ms ?? run.ms), ownerRules);
  return { state, effects: describeEffects(effects), raw: effects, ms: ms ?? run.ms };
}

/** Feeds `TimePassed` at `ms`. */
export function pass(run: OwnerRun, ms: number): OwnerRun {
  return feed(run, { type: 'TimePassed' }, ms);
}

export const chosen: ItemInput = { type: 'OfferChosen', reason: 'submitted; beta is in sight' };
export const bundle: BundleInfo = { sha256: 'a'.repeat(64), bytes: 3, count: 1 };

export function claim(from: string, rank: number, epoch = 1, ratio = 0.1): ItemInput {
  return { type: 'ClaimHeard', from, claim: { epoch, renewal: 1001, projected_ratio: ratio, slots_free: 1, rank } };
}

export function progress(phase: ProgressReport['phase'], renewal: number, epoch = 1, from = 'beta'): ItemInput {
  return { type: 'ProgressHeard', from, progress: { epoch, phase, renewal } };
}

export function result(change: Partial<Result> = {}, from = 'beta'): ItemInput {
  return { type: 'ResultHeard', from, result: createResult(change) };
}

export const withOutputs: Partial<Result> = { outputs_count: 1, outputs_bytes: 3, manifest_sha256: 'b'.repeat(64) };

/** An item in its first round. */
export function offered(change: Partial<Item> = {}): OwnerRun {
  return feed(submit(change), chosen);
}

/** An item that beta has held since 0. */
export function acked(change: Partial<Item> = {}): OwnerRun {
  return feed(offered(change), claim('beta', 0));
}

/** An item that runs on beta and was answered at 0. */
export function running(change: Partial<Item> = {}): OwnerRun {
  return feed(acked(change), progress('running', 1));
}

/** An item whose outputs are being fetched. */
export function returning(change: Partial<Item> = {}): OwnerRun {
  return feed(running(change), result(withOutputs));
}

/** An item that is moved off beta: stopped there, its directory is being fetched. */
export function vacated(change: Partial<Item> = {}): OwnerRun {
  return feed(running(restartable(change)), result({ outcome: 'vacated', ...withOutputs }));
}

/** A `once` item whose lease ended without an answer. */
export function lost(change: Partial<Item> = {}): OwnerRun {
  return pass(running({ retry: 'once', ...change }), 8000);
}

/** The same item, but it may be stopped and started again. */
export function restartable(change: Partial<Item> = {}): Partial<Item> {
  return { command: { ...createItem().command, migrate: 'restart' }, ...change };
}
