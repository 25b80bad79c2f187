/**
 * What can happen to a guest, as its receiver learns it: facts in the past tense. What they mean is decided in `step.ts`.
 */
import type { Command } from '../../protocol/item.js';
import type { Ack, Lease } from '../../protocol/work-messages.js';
import type { ProcessHandle } from './guest.js';

/** What is shared of a guest's outputs. */
export interface CollectedFacts {
  readonly sha256: string;
  readonly bytes: number;
  readonly count: number;
}

/** A fact about one guest. */
export type ReceiverInput =
  /** The owner repeats its offer of this epoch: the claim may have been lost. */
  | { readonly type: 'OfferRepeated'; readonly slotsFree: number; readonly projectedRatio: number }
  | { readonly type: 'AckHeard'; readonly ack: Ack; readonly obstacle: string | undefined }
  | { readonly type: 'LeaseHeard'; readonly lease: Lease }
  | { readonly type: 'FetchAdvanced'; readonly bytes: number; readonly total: number }
  | { readonly type: 'InputsFetched'; readonly command: Command | undefined }
  | { readonly type: 'FetchFailed'; readonly reason: string }
  | { readonly type: 'RunStarted'; readonly handle: ProcessHandle }
  | { readonly type: 'RunFailed'; readonly reason: string }
  | {
      readonly type: 'RunExited';
      readonly exitCode: number;
      readonly signal: string | null;
      readonly cpuS: number;
      readonly runMs: number;
    }
  | { readonly type: 'RunDied'; readonly reason: string }
  | { readonly type: 'Collected'; readonly bundle: CollectedFacts }
  | { readonly type: 'CollectFailed'; readonly reason: string; readonly final: boolean }
  /** A copy was restored; it is stopped. */
  | { readonly type: 'RunPrepared'; readonly handle: ProcessHandle }
  /** Its image is complete; it is stopped. */
  | { readonly type: 'RunFrozen'; readonly imageBytes: number; readonly tookMs: number }
  | { readonly type: 'FreezeFailed'; readonly reason: string }
  /** What was stopped runs again. */
  | { readonly type: 'RunThawed' }
  /** A copy that was to run never did, and nothing of it is left. */
  | { readonly type: 'ThawFailed'; readonly reason: string }
  /** This machine wants to be rid of it: it drains. */
  | { readonly type: 'VacateWanted'; readonly reason: string }
  | { readonly type: 'TimePassed' }
  | { readonly type: 'NodeRestarted' };
