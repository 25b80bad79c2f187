/**
 * What the performers share: the ports, the members' keys, the way back for outcomes, and the names of shared
 * directories.
 */
import type { Clock } from '../../clock/clock.js';
import type { BundleInfo } from '../../core/owner/item-record.js';
import type { Runner } from '../../run/runner.js';
import type { Bundle, Transfer, Workspace } from '../../transfer/transfer.js';
import type { NodeInput } from '../inputs.js';

/** The ports, and what performers need besides them. */
export interface PerformContext {
  readonly self: string;
  readonly clock: Clock;
  readonly transfer: Transfer;
  readonly workspace: Workspace;
  readonly runner: Runner;
  /** The public key of a member, including this node. */
  keyOf(node: string): string | undefined;
  push(input: NodeInput): void;
}

/** A performer of one family of effects. */
export interface EffectPerformer<E> {
  perform(effect: E): void;
  /** Called when a member's key becomes known. */
  release(node: string): void;
}

/** The part of a bundle that the core needs. */
export function bundleInfo({ sha256, bytes, count, room }: Bundle): BundleInfo {
  return { sha256, bytes, count, ...(room === undefined ? {} : { room }) };
}

/** Name of the share from which a receiver fetches an item's inputs. */
export function inputShare(owner: string, item: string, epoch: number): string {
  return `${owner}/${item}/${epoch}/in`;
}

/** Name of the share from which an owner fetches an item's outputs. */
export function outputShare(owner: string, item: string, epoch: number): string {
  return `${owner}/${item}/${epoch}/out`;
}
