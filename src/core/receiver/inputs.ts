/**
 * What can happen to a guest, as its receiver learns it. Inputs are facts in the past tense; `step.ts` decides what
 * they mean.
 */
import type { Command } from '../../protocol/item.js';
import type { Reason } from '../../protocol/reasons.js';
import type { Ack, Lease } from '../../protocol/work-messages.js';
import type { OrderNumber, ProcessHandle } from './guest.js';

/** The outputs of a guest, as they are shared. */
export interface CollectedOutputs {
  readonly sha256: string;
  readonly bytes: number;
  readonly count: number;
  /** The outputs themselves, sealed to the owner, if they are small and it sent a key. */
  readonly sealed?: string | undefined;
}

/** A fact about one guest. */
export type GuestInput =
  /** The owner repeats its offer of this epoch: the claim may have been lost. */
  | { readonly type: 'OfferRepeated'; readonly slotsFree: number; readonly projectedRatio: number }
  | {
      readonly type: 'AckHeard';
      readonly ack: Ack;
      readonly obstacle: Reason | undefined;
      readonly path?: 'direct' | undefined;
    }
  | {
      readonly type: 'LeaseHeard';
      readonly lease: Lease;
      /** Missing for messages of this node to itself. */
      readonly number?: OrderNumber | undefined;
      readonly path?: 'direct' | undefined;
    }
  | { readonly type: 'FetchAdvanced'; readonly bytes: number; readonly total: number }
  | { readonly type: 'InputsFetched'; readonly command: Command | undefined }
  /** `lacksSpace`: the disk here is full, or a quota on it. */
  | { readonly type: 'FetchFailed'; readonly reason: string; readonly lacksSpace?: boolean | undefined }
  /** No address of the owner accepted a connection; the fetch waits for the owner to push the inputs. */
  | { readonly type: 'FetchUnreached' }
  /** The push of the outputs to the owner ended; `fault` is why it failed. */
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
      /** It exited before any request to stop reached it. */
      readonly untouched?: boolean | undefined;
    }
  /** It has written more than it may while nobody reads its output. */
  | { readonly type: 'OutputExceeded'; readonly reason: string }
  | { readonly type: 'RunDied'; readonly reason: string }
  | { readonly type: 'Collected'; readonly bundle: CollectedOutputs }
  | { readonly type: 'CollectFailed'; readonly reason: string; readonly final: boolean }
  /** Its watchdog is unsure how much time passed and may have stopped it: only an answer from now on lets it go on. */
  | { readonly type: 'RunDoubted' }
  /** A copy was restored and is stopped. */
  | { readonly type: 'RunPrepared'; readonly handle: ProcessHandle }
  /** Its image is complete, and it is stopped. */
  | { readonly type: 'RunFrozen'; readonly imageBytes: number; readonly tookMs: number }
  | { readonly type: 'FreezeFailed'; readonly reason: string }
  /** The stopped process runs again. */
  | { readonly type: 'RunThawed' }
  /** A copy that was to be resumed never ran, and nothing is left of it. */
  | { readonly type: 'ThawFailed'; readonly reason: string }
  /** This machine wants it moved away, for example because it drains. */
  | { readonly type: 'VacateWanted'; readonly reason: string }
  /** The broker or the owner is back: unanswered messages are repeated immediately. */
  | { readonly type: 'OwnerReturned' }
  | { readonly type: 'TimePassed' }
  | { readonly type: 'NodeRestarted' };
