/**
 * Effects: what the core wants done. It does none of it. An effect that stands after a `Persist` in one list must not be
 * performed BEFORE that write is safe; effects of one subject are performed in the order they were given.
 */
import type { Command } from '../protocol/item.js';
import type { Bodies, MessageKind } from '../protocol/messages.js';
import type { Topic } from '../protocol/topics.js';
import type { ThrottleEffect } from './throttle-record.js';

/** A moment: monotonic milliseconds to decide with, and the wall clock as ISO 8601 text for people. */
export interface Instant {
  readonly ms: number;
  readonly ts: string;
}

/** The direct path to another node, without the broker: what is said goes there, too, or `only` there. */
export interface Way {
  readonly to: string;
  /** `https://host:port`, in the order to try; none: what is said waits until that node asks. */
  readonly urls: readonly string[];
  readonly only: boolean;
}

/** A message to be said, its kind and topic belonging together. */
export type Say = {
  [K in MessageKind]: {
    readonly type: 'Say';
    readonly kind: K;
    readonly topic: Topic & { readonly kind: K };
    readonly body: Bodies[K];
    /** Without one it goes by the bus. */
    readonly way?: Way | undefined;
  };
}[MessageKind];

/** What is to be done for an item by its owner. */
export type ItemEffect =
  | { readonly type: 'Stage'; readonly item: string; readonly inputs: readonly string[]; readonly command: Command }
  | { readonly type: 'Restage'; readonly item: string; readonly command: Command; readonly image: boolean }
  | {
      readonly type: 'Share';
      readonly item: string;
      readonly epoch: number;
      readonly to: string;
      readonly image: boolean;
    }
  | { readonly type: 'Unshare'; readonly item: string; readonly epoch: number }
  /** Brings the outputs of an epoch home from its receiver. */
  | {
      readonly type: 'FetchHome';
      readonly item: string;
      readonly epoch: number;
      readonly from: string;
      readonly urls: readonly string[];
      readonly sha256: string;
    }
  /** Brings the inputs of an epoch to its receiver, which does not reach this node. */
  | { readonly type: 'PushInputs'; readonly item: string; readonly epoch: number; readonly urls: readonly string[] }
  /** Takes the outputs of an epoch, which came inside its result, out of their seal. */
  | {
      readonly type: 'OpenHome';
      readonly item: string;
      readonly epoch: number;
      readonly sealed: string;
      readonly sha256: string;
    }
  | { readonly type: 'Place'; readonly item: string; readonly epoch: number; readonly destination: string | undefined }
  | {
      readonly type: 'Carry';
      readonly item: string;
      readonly epoch: number;
      readonly command: Command;
      readonly image: boolean;
    }
  /** The image of its process is not wanted any more. */
  | { readonly type: 'DropImage'; readonly item: string }
  | { readonly type: 'RemoveItem'; readonly item: string; readonly all: boolean };

/** What is to be done for a guest by its receiver; `guest` is `<owner>/<item>/<epoch>`. */
export type GuestEffect =
  | {
      readonly type: 'FetchInputs';
      readonly guest: string;
      readonly urls: readonly string[];
      readonly sha256: string;
      /** It is the image of a process with all its directory, not the inputs of a command. */
      readonly image: boolean;
    }
  /**
   * `leaseEndsAt` and `guardAt` are monotonic ms, not durations: the journal may keep this effect waiting, and a run must not
   * start when its lease is over.
   */
  | {
      readonly type: 'StartRun';
      readonly guest: string;
      readonly command: Command;
      readonly leaseEndsAt: number;
      readonly guardAt: number;
      /** The fetched image is restored and stays stopped; nothing is started. */
      readonly image: boolean;
    }
  /** A process that runs here becomes a run: it is neither started nor guarded. */
  | { readonly type: 'TakeRun'; readonly guest: string; readonly process: { pid: number; start: string } }
  /** Writes the image of a live run and leaves it stopped. */
  | { readonly type: 'FreezeRun'; readonly guest: string }
  /** Lets a stopped run go on: an original, or a copy that was restored; not when `leaseEndsAt` (monotonic ms) has passed. */
  | { readonly type: 'ThawRun'; readonly guest: string; readonly leaseEndsAt: number }
  | { readonly type: 'AdoptRun'; readonly guest: string; readonly handle: { pid: number; start: string } | null }
  | { readonly type: 'ExtendRun'; readonly guest: string; readonly guardAt: number }
  | { readonly type: 'StopRun'; readonly guest: string; readonly graceMs: number; readonly asks: boolean }
  | {
      readonly type: 'Collect';
      readonly guest: string;
      readonly globs: readonly string[];
      /** All that the guest left, with its image if it is stopped. */
      readonly everything: boolean;
      /** The owner's key, to seal the outputs to if they are small. */
      readonly sealKey?: string | undefined;
    }
  /** Brings what was described last of a guest to its owner, which does not reach this node. */
  | { readonly type: 'PushOutputs'; readonly guest: string; readonly urls: readonly string[] }
  /** Forgets a guest's shares and, with `files`, its directory. */
  | {
      readonly type: 'RemoveGuest';
      readonly guest: string;
      readonly files: boolean;
      /** Its files stay for a person. */
      readonly kept?: true;
    };

/** Everything the core may want done. */
export type Effect =
  | { readonly type: 'Persist'; readonly key: string; readonly value: unknown }
  | Say
  /** Takes a retained topic off the bus. */
  | { readonly type: 'Unsay'; readonly topic: Topic }
  | ItemEffect
  | GuestEffect
  | ThrottleEffect;

/** What a step gives: the next state, and what is to be done. */
export interface Step<S> {
  readonly state: S;
  readonly effects: readonly Effect[];
}

/** Puts a message together whose topic and body fit. */
export function say<K extends MessageKind>(topic: Topic & { readonly kind: K }, body: Bodies[K], way?: Way): Say {
  // The pairing of kind, topic and body is what this signature holds; TypeScript cannot follow it into the union.
  return { type: 'Say', kind: topic.kind, topic, body, ...(way === undefined ? {} : { way }) } as Say;
}
