/**
 * What can happen to a guest, as its receiver learns it: facts in the past tense. What they mean is decided in `step.ts`.
 */
import type { Command } from '../../protocol/item.js';
import type { Ack, Lease } from '../../protocol/work-messages.js';
import type { OrderNumber, ProcessHandle } from './guest.js';

/** What is shared of a guest's outputs. */
export interface CollectedFacts {
  readonly sha256: string;
  readonly bytes: number;
  readonly count: number;
  /** The outputs themselves, sealed to the owner, where they are small and it told a key. */
  readonly sealed?: string | undefined;
}

/** A fact about one guest. */
export type ReceiverInput =
  /** The owner repeats its offer of this epoch: the claim may have been lost. */
  | { readonly type: 'OfferRepeated'; readonly slotsFree: number; readonly projectedRatio: number }
  | {
      readonly type: 'AckHeard';
      readonly ack: Ack;
      readonly obstacle: string | undefined;
      readonly path?: 'direct' | undefined;
    }
  | {
      readonly type: 'LeaseHeard';
      readonly lease: Lease;
      /** Missing for what this node says to itself. */
      readonly number?: OrderNumber | undefined;
      readonly path?: 'direct' | undefined;
    }
  | { readonly type: 'FetchAdvanced'; readonly bytes: number; readonly total: number }
  | { readonly type: 'InputsFetched'; readonly command: Command | undefined }
  /** `lacksRoom`: the disk here is full, or somebody's share of it. */
  | { readonly type: 'FetchFailed'; readonly reason: string; readonly lacksRoom?: boolean | undefined }
  /** No address of the owner took a connection; the fetch waits for the owner to bring them. */
  | { readonly type: 'FetchUnreached' }
  /** The outputs were brought to the owner; `fault` is why not. */
  | { readonly type: 'PushEnded'; readonly fault: string | undefined }
  | { readonly type: 'RunStarted'; readonly handle: ProcessHandle }
  | { readonly type: 'RunFailed'; readonly reason: string }
  | {
      readonly type: 'RunExited';
      readonly exitCode: number;
      readonly signal: string | null;
      readonly cpuS: number;
      readonly runMs: number;
      readonly diskWasFull?: boolean | undefined;
      /** Nobody had asked it to end: what was on its way came too late. */
      readonly untouched?: boolean | undefined;
    }
  /** It has written more than it may while nobody reads it. */
  | { readonly type: 'OutputExceeded'; readonly reason: string }
  | { readonly type: 'RunDied'; readonly reason: string }
  | { readonly type: 'Collected'; readonly bundle: CollectedFacts }
  | { readonly type: 'CollectFailed'; readonly reason: string; readonly final: boolean }
  /** Its guardian does not know how much time passed, and maybe stopped it: only what its owner answers from now on lets it go on. */
  | { readonly type: 'RunDoubted' }
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
  /** The broker is there again, or its owner is: what is owed is said at once. */
  | { readonly type: 'OwnerReturned' }
  | { readonly type: 'TimePassed' }
  | { readonly type: 'NodeRestarted' };
