/**
 * What can happen to an item, as its owner learns it. Inputs are facts in the past tense; what they mean is decided in
 * `step.ts`.
 */
import type { Item } from '../../protocol/item.js';
import type { Claim, Progress, Result } from '../../protocol/work-messages.js';
import type { Blocked } from '../../protocol/status.js';
import type { BundleFacts } from './item-record.js';

/** A fact about one item. */
export type OwnerInput =
  | { readonly type: 'ItemStaged'; readonly bundle: BundleFacts; readonly image: boolean }
  | { readonly type: 'StageFailed'; readonly reason: string }
  /** The offer stage picked it: a receiver is in sight. */
  | { readonly type: 'OfferChosen'; readonly reason: string }
  /** The offer stage left it waiting, and why. */
  | { readonly type: 'ItemPassedOver'; readonly reason: string; readonly blocked: readonly Blocked[] }
  /** The sum is negative: a sleeping item is woken. */
  | { readonly type: 'WakeChosen'; readonly reason: string }
  | { readonly type: 'ClaimHeard'; readonly from: string; readonly claim: Claim }
  | {
      readonly type: 'ProgressHeard';
      readonly from: string;
      readonly progress: Progress;
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
  /** The same, but the fetch waits for the receiver to bring them; `reason` names each address. */
  | { readonly type: 'HomeUnreached'; readonly epoch: number; readonly reason: string }
  /** A person wants outputs fetched that there was no way to. */
  | { readonly type: 'FetchAsked'; readonly reason: string }
  | { readonly type: 'HomePlaced'; readonly epoch: number }
  | { readonly type: 'PlaceFailed'; readonly epoch: number; readonly reason: string; readonly final: boolean }
  | { readonly type: 'ItemCarried'; readonly epoch: number; readonly bundle: BundleFacts; readonly image: boolean }
  | { readonly type: 'CarryFailed'; readonly epoch: number; readonly reason: string }
  | { readonly type: 'CancelAsked'; readonly reason: string }
  | {
      readonly type: 'MoveAsked';
      readonly reason: string;
      readonly to: string | null;
      /** Members that this move leaves out, where nobody asked for it. */
      readonly shun?: readonly string[] | undefined;
    }
  | { readonly type: 'RetryAsked'; readonly reason: string }
  /** The broker went away: nobody else hears of this item for now. */
  | { readonly type: 'BrokerLost' }
  /** The broker is there again: what was not answered is said at once. */
  | { readonly type: 'BrokerReturned' }
  | { readonly type: 'TimePassed' }
  /** `rolledBack`: the machine went down and the journal may have lost its last writes. */
  | { readonly type: 'NodeRestarted'; readonly rolledBack: boolean };

/** The fact that begins an item. */
export interface ItemSubmitted {
  readonly type: 'ItemSubmitted';
  readonly item: Item;
  /** Where a process that was found is to go, if that was named, and why it is to move. */
  readonly to?: string | undefined;
  readonly reason?: string | undefined;
}
