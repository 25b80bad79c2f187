/**
 * What both performers need: the ports, the keys of members, the way back for what became of an effect, and the names under
 * which directories are shared.
 */
import type { Clock } from '../clock/clock.js';
import type { BundleFacts } from '../core/owner/item-record.js';
import type { Runner } from '../run/runner.js';
import type { Bundle, Transfer, Workspace } from '../transfer/transfer.js';
import type { NodeInput } from './inputs.js';

/** The ports and what goes with them. */
export interface PerformParts {
  readonly self: string;
  readonly clock: Clock;
  readonly transfer: Transfer;
  readonly workspace: Workspace;
  readonly runner: Runner;
  /** The public key of a member, this node too. */
  keyOf(node: string): string | undefined;
  /** Lifts the throttle of a guest if it has one, and calls back when it is undone. */
  lift(guest: string, done: () => void): void;
  push(input: NodeInput): void;
}

/** A performer of one family of effects. */
export interface Part<E> {
  perform(effect: E): void;
  /** A member's key is known now. */
  release(node: string): void;
}

/** What the core wants to know of a bundle. */
export function factsOf({ sha256, bytes, count, room }: Bundle): BundleFacts {
  return { sha256, bytes, count, ...(room === undefined ? {} : { room }) };
}

/** Name of the share that a receiver fetches an item's inputs from. */
export function inputShare(owner: string, item: string, epoch: number): string {
  return `${owner}/${item}/${epoch}/in`;
}

/** Name of the share that an owner fetches an item's outputs from. */
export function outputShare(owner: string, item: string, epoch: number): string {
  return `${owner}/${item}/${epoch}/out`;
}

/** Takes `<owner>/<item>/<epoch>` apart. */
export function splitGuest(guest: string): { readonly owner: string; readonly item: string; readonly epoch: number } {
  const [owner = '', item = '', epoch = '0'] = guest.split('/');
  return { owner, item, epoch: Number(epoch) };
}
