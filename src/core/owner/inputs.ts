/**
 * What can happen to an item, as its owner learns it. Inputs are facts in the past tense; `step.ts` decides what they
 * mean.
 */
import type { Item } from '../../protocol/item.js';
import type { Claim, ProgressReport, Result } from '../../protocol/work-messages.js';
import type { Blocked } from '../../protocol/status.js';
import type { BundleInfo } from './item-record.js';

/** A fact about one item. */
export type ItemInput =
  | { readonly type: 'ItemStaged'; readonly bundle: BundleInfo; readonly image: boolean }
  | { readonly type: 'StageFailed'; readonly reason: string }
  /** The offer stage chose it: a receiver is in sight. */
  | { readonly type: 'OfferChosen'; readonly reason: string }
  /** The offer stage left it waiting, and why. */
  | {
      readonly type: 'ItemPassedOver';
      readonly reason: string;
      readonly code: string | undefined;
      readonly blocked: readonly Blocked[];
    }
  /** The sum is negative: the wake stage chose this deferred item. */
  | { readonly type: 'WakeChosen'; readonly reason: string }
  | { readonly type: 'ClaimHeard'; readonly from: string; readonly claim: Claim }
  | {
      readonly type: 'ProgressHeard';
      readonly from: string;
      readonly progress: ProgressReport;
      readonly path?: 'direct' | undefined;
    }
  | {
      readonly type: 'ResultHeard';
      readonly from: string;
      readonly result: Result;
      readonly path?: 'direct' | undefined;
    }
  | { readonly type: 'HomeFetched'; readonly epoch: number }
  | {
      readonly type: 'HomeFetchFailed';
      readonly epoch: number;
      readonly reason: string;
      readonly final: boolean;
      /** No address of the receiver took a connection. */
      readonly unreached?: boolean | undefined;
    }
  /** No address took a connection, and the fetch waits for the receiver to bring them; `reason` names each address. */
  | { readonly type: 'HomeUnreached'; readonly epoch: number; readonly reason: string }
  /** A person wants unreachable outputs to be fetched now. */
  | { readonly type: 'FetchAsked'; readonly reason: string }
  | { readonly type: 'HomePlaced'; readonly epoch: number }
  | { readonly type: 'PlaceFailed'; readonly epoch: number; readonly reason: string; readonly final: boolean }
  | { readonly type: 'ItemCarried'; readonly epoch: number; readonly bundle: BundleInfo; readonly image: boolean }
  | { readonly type: 'CarryFailed'; readonly epoch: number; readonly reason: string }
  | { readonly type: 'CancelAsked'; readonly reason: string }
  | {
      readonly type: 'MoveAsked';
      readonly reason: string;
      readonly to: string | null;
      /** Members that a move without a request leaves out. */
      readonly excluded?: readonly string[] | undefined;
    }
  | { readonly type: 'RetryAsked'; readonly reason: string }
  /** The broker went away: no other node hears about this item for now. */
  | { readonly type: 'BrokerLost' }
  /** The broker is back: unanswered messages are repeated immediately. */
  | { readonly type: 'BrokerReturned' }
  | { readonly type: 'TimePassed' }
  /** `rolledBack`: the machine went down and the journal may have lost its last writes. */
  | { readonly type: 'NodeRestarted'; readonly rolledBack: boolean };

/** The input that creates an item. */
export interface ItemSubmitted {
  readonly type: 'ItemSubmitted';
  readonly item: Item;
  /** For an external process: where to move it, if a node was named, and why. */
  readonly to?: string | undefined;
  readonly reason?: string | undefined;
}
