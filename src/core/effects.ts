/**
 * Effects: what the core wants done. The core performs none of them. An effect that follows a `Persist` in a list MUST
 * NOT be performed BEFORE that write is safe; effects of one subject are performed in the order in which they were
 * returned.
 */
import type { Command } from '../protocol/item.js';
import type { Bodies, MessageKind } from '../protocol/messages.js';
import type { Topic } from '../protocol/topics.js';
import type { ThrottleEffect } from './processes/saved-throttle.js';

/** A point in time: monotonic ms for decisions, and the wall clock as ISO 8601 text for people. */
export interface Instant {
  readonly ms: number;
  readonly ts: string;
}

/** The direct path to another node, without the broker: the message goes there as well, or `only` there. */
export interface Way {
  readonly to: string;
  /** `https://host:port`, in the order to try; if empty, the message waits until that node asks for it. */
  readonly urls: readonly string[];
  readonly only: boolean;
}

/** A message to publish, with matching kind, topic and body. */
export type Publish = {
  [K in MessageKind]: {
    readonly type: 'Publish';
    readonly kind: K;
    readonly topic: Topic & { readonly kind: K };
    readonly body: Bodies[K];
    /** If missing, the message goes over the bus. */
    readonly way?: Way | undefined;
  };
}[MessageKind];

/** Effects that an owner performs for an item. */
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
  /** Fetches the outputs of an epoch from its receiver. */
  | {
      readonly type: 'FetchHome';
      readonly item: string;
      readonly epoch: number;
      readonly from: string;
      readonly urls: readonly string[];
      readonly sha256: string;
      /** They are the image of a stopped process. */
      readonly isImage?: boolean;
    }
  /** Pushes the inputs of an epoch to its receiver, which cannot reach this node. */
  | { readonly type: 'PushInputs'; readonly item: string; readonly epoch: number; readonly urls: readonly string[] }
  /** Unseals the outputs of an epoch that arrived inside its result. */
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
  /** Deletes the image of its process, which is no longer needed. */
  | { readonly type: 'DropImage'; readonly item: string }
  | { readonly type: 'RemoveItem'; readonly item: string; readonly all: boolean };

/** Effects that a receiver performs for a guest; `guest` is `<owner>/<item>/<epoch>`. */
export type GuestEffect =
  | {
      readonly type: 'FetchInputs';
      readonly guest: string;
      readonly urls: readonly string[];
      readonly sha256: string;
      /** Fetches the image of a process with its whole directory, not the inputs of a command. */
      readonly image: boolean;
    }
  /**
   * `leaseEndsAt` and `guardAt` are monotonic ms, not durations: this effect may have to wait for the journal, and a
   * run must not start after its lease has ended.
   */
  | {
      readonly type: 'StartRun';
      readonly guest: string;
      readonly command: Command;
      readonly leaseEndsAt: number;
      readonly guardAt: number;
      /** Restores the fetched image and leaves it stopped; no command is started. */
      readonly image: boolean;
    }
  /** Turns a process that already runs here into a run; it is neither started nor given a watchdog. */
  | { readonly type: 'AdoptExternal'; readonly guest: string; readonly process: { pid: number; start: string } }
  /** Writes the image of a running process and leaves it stopped. */
  | { readonly type: 'FreezeRun'; readonly guest: string }
  /** Resumes a stopped run, an original or a restored copy, unless `leaseEndsAt` (monotonic ms) has passed. */
  | { readonly type: 'ThawRun'; readonly guest: string; readonly leaseEndsAt: number }
  | { readonly type: 'AdoptRun'; readonly guest: string; readonly handle: { pid: number; start: string } | null }
  | { readonly type: 'ExtendRun'; readonly guest: string; readonly guardAt: number }
  | { readonly type: 'StopRun'; readonly guest: string; readonly graceMs: number; readonly asks: boolean }
  | {
      readonly type: 'Collect';
      readonly guest: string;
      readonly globs: readonly string[];
      /** Everything in the guest's directory, with its image if it is stopped. */
      readonly everything: boolean;
      /** The owner's key: small outputs are sealed to it. */
      readonly sealKey?: string | undefined;
    }
  /** Pushes what was last collected from a guest to its owner, which cannot reach this node. */
  | { readonly type: 'PushOutputs'; readonly guest: string; readonly urls: readonly string[] }
  /** Removes a guest's shares and, with `files`, its directory. */
  | {
      readonly type: 'RemoveGuest';
      readonly guest: string;
      readonly files: boolean;
      /** Its files are kept for a person to look at. */
      readonly kept?: true;
    };

/** All effects. */
export type Effect =
  | { readonly type: 'Persist'; readonly key: string; readonly value: unknown }
  | Publish
  /** Clears a retained topic on the broker. */
  | { readonly type: 'ClearRetained'; readonly topic: Topic }
  | ItemEffect
  | GuestEffect
  | ThrottleEffect;

/** What a step returns: the next state, and the effects to perform in order. */
export interface Step<S> {
  readonly state: S;
  readonly effects: readonly Effect[];
}

/** Creates the effect that publishes `body` on `topic`. */
export function publish<K extends MessageKind>(
  topic: Topic & { readonly kind: K },
  body: Bodies[K],
  way?: Way,
): Publish {
  // The signature pairs kind, topic and body; TypeScript cannot follow that into the union.
  return { type: 'Publish', kind: topic.kind, topic, body, ...(way === undefined ? {} : { way }) } as Publish;
}
