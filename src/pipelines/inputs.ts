/**
 * The inputs of a node: everything it can learn, as facts. One inbound stream carries all of them, and each stage
 * handles those that it understands.
 */
import type { DiskState } from '../core/disk/disk-space.js';
import type { Publish } from '../core/effects.js';
import type { MeshInput } from '../core/mesh/member-table.js';
import type { ChosenClaim } from '../core/placement/open-offers.js';
import type { ItemSubmitted, ItemInput } from '../core/owner/inputs.js';
import type { OrderNumber } from '../core/receiver/guest.js';
import type { GuestInput } from '../core/receiver/inputs.js';
import type { ThrottleInput } from '../core/processes/throttle-step.js';
import type { Response, Trit } from '../protocol/messages.js';
import type { ReasonCode } from '../protocol/reasons.js';
import type { Ack, Lease, Offer } from '../protocol/work-messages.js';
import type { Item } from '../protocol/item.js';
import type { Request } from '../protocol/requests.js';
import type { LoadSample, ProcessSample } from '../sense/sense.js';

/** A fact that a node learns. */
export type NodeInput =
  | MeshInput
  | ItemSubmitted
  | {
      readonly type: 'LinkChanged';
      readonly online: boolean;
      readonly reason: string;
      /** The broker ended this connection because a client with the same id took it over. */
      readonly takenOver?: boolean;
      /** The broker ended an established connection. */
      readonly ended?: boolean;
    }
  | { readonly type: 'LoadClassified'; readonly sample: LoadSample; readonly trit: Trit; readonly changed: boolean }
  | { readonly type: 'ProcessesListed'; readonly processes: readonly ProcessSample[] }
  /** Free space on the disk; `changed`: the disk became full, or is no longer full. */
  | { readonly type: 'DiskMeasured'; readonly disk: DiskState; readonly changed: boolean }
  | { readonly type: 'SenseFailed'; readonly sense: 'load' | 'processes' | 'disk'; readonly fault: string }
  | { readonly type: 'OfferHeard'; readonly owner: string; readonly item: string; readonly offer: Offer }
  | { readonly type: 'ClaimChosen'; readonly claim: ChosenClaim }
  | {
      readonly type: 'AckHeard';
      readonly owner: string;
      readonly item: string;
      readonly ack: Ack;
      readonly path?: 'direct' | undefined;
    }
  | {
      readonly type: 'LeaseHeard';
      readonly owner: string;
      readonly item: string;
      readonly lease: Lease;
      readonly number?: OrderNumber | undefined;
      readonly path?: 'direct' | undefined;
    }
  | { readonly type: 'ItemInput'; readonly item: string; readonly input: ItemInput }
  /** `guest` is `<owner>/<item>/<epoch>`. */
  | { readonly type: 'GuestInput'; readonly guest: string; readonly input: GuestInput }
  /** `target` is `run/<owner>/<item>/<epoch>` or `pid/<pid>`. */
  | { readonly type: 'ThrottleInput'; readonly target: string; readonly input: ThrottleInput }
  /** The action matrix wants an external process moved, and a rule allows it. */
  | {
      readonly type: 'ProcessMoveWanted';
      readonly pid: number;
      /** Start time as the system counts it, where known. */
      readonly start: string | undefined;
      readonly reason: string;
    }
  | { readonly type: 'RequestHeard'; readonly request: Request; readonly signedBy: string | undefined }
  /** A program on this machine submits an item; `done` is called when the journal has it, or with the refusal. */
  | { readonly type: 'SubmissionHeard'; readonly item: Item; readonly done: (refusal?: string) => void }
  /** A member answered whether an image would fit there. */
  | { readonly type: 'FitHeard'; readonly node: string; readonly response: Response }
  /** The id that this node is to take; `undefined`: the request was withdrawn or has expired. */
  | { readonly type: 'RenameWanted'; readonly to: string | undefined; readonly isNews: boolean }
  | { readonly type: 'SetHeard'; readonly key: string; readonly value: string }
  /** A request that could not be read or is not permitted. It is still answered. */
  | {
      readonly type: 'RequestRefused';
      readonly verb: string;
      readonly reason: string;
      readonly code?: ReasonCode | undefined;
      readonly transaction: string | undefined;
    }
  /** Everything retained is to be published again. */
  | { readonly type: 'RefreshAsked' }
  /** The throttle of a guest is to be lifted, if it has one; `done` is called when it is undone. */
  | { readonly type: 'ThrottleLiftWanted'; readonly guest: string; readonly reason: string; readonly done: () => void }
  /** A member's key is pinned from now on; `undefined`: its pin was dropped. */
  | { readonly type: 'KeyPinned'; readonly node: string; readonly key: string | undefined }
  /** A request was decided: its response waits behind the effects that the request caused. */
  | { readonly type: 'RequestAnswered'; readonly subject: string; readonly response: Publish }
  /** An event for people and dashboards is to be published. */
  | { readonly type: 'EventWanted'; readonly event: Publish }
  /** Another node claims this node's id with another key. */
  | { readonly type: 'RivalHeard'; readonly host: string }
  /** A message under this node's name and key that it cannot have sent; `boot` is the boot that sent it. */
  | { readonly type: 'TwinTraced'; readonly boot: number; readonly reason: string }
  /** A function to call once everything decided for a subject so far has been performed. */
  | { readonly type: 'AfterAsked'; readonly subject: string; readonly done: () => void }
  /** The broker refused a publish. */
  | { readonly type: 'PublishRefused'; readonly topic: string; readonly reason: string }
  /** Whether what this node publishes comes back to it. Reported when it stops and when it starts again. */
  | { readonly type: 'LoopbackChanged'; readonly works: boolean; readonly topic: string }
  /** Something in the state directory cannot be removed. */
  | { readonly type: 'RemovalFailed'; readonly path: string; readonly reason: string }
  /** The files of a guest, which a person was told to fetch, are kept only until the node stops. */
  | { readonly type: 'KeepFailed'; readonly guest: string; readonly reason: string }
  | { readonly type: 'MessageRefused'; readonly topic: string; readonly reason: string }
  /** There is news of a member that waiting items may depend on. */
  | { readonly type: 'MemberChanged' }
  /** A member was born: messages sent to it before may be lost. */
  | { readonly type: 'MemberBorn'; readonly node: string }
  /** The sum, or the set of online members, has changed. */
  | { readonly type: 'MeshChanged' }
  /** The journal can no longer be written, or can be again (`undefined`): until then the node accepts no new work. */
  | { readonly type: 'JournalChanged'; readonly fault: string | undefined };
