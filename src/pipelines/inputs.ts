/**
 * The inputs of a node: everything it can learn, as facts. One inbound stream carries all of them; each stage takes those
 * it understands.
 */
import type { DiskState } from '../core/disk-room.js';
import type { Say } from '../core/effects.js';
import type { MeshInput } from '../core/mesh.js';
import type { ChosenClaim } from '../core/offer-book.js';
import type { ItemSubmitted, OwnerInput } from '../core/owner/inputs.js';
import type { OrderNumber } from '../core/receiver/guest.js';
import type { ReceiverInput } from '../core/receiver/inputs.js';
import type { ThrottlingInput } from '../core/throttling.js';
import type { Response, Trit } from '../protocol/messages.js';
import type { Ack, Lease, Offer } from '../protocol/work-messages.js';
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
      /** A client of the same id was let in instead. */
      readonly takenOver?: boolean;
      /** The broker ended a connection that stood. */
      readonly ended?: boolean;
    }
  | { readonly type: 'LoadClassified'; readonly sample: LoadSample; readonly trit: Trit; readonly changed: boolean }
  | { readonly type: 'ProcessesListed'; readonly processes: readonly ProcessSample[] }
  /** Room on the disk; `changed`: it is full, or is not any more. */
  | { readonly type: 'DiskMeasured'; readonly disk: DiskState; readonly changed: boolean }
  | { readonly type: 'SenseFailed'; readonly sense: 'load' | 'processes' | 'disk'; readonly fault: string }
  | { readonly type: 'OfferHeard'; readonly owner: string; readonly item: string; readonly offer: Offer }
  | { readonly type: 'ClaimChosen'; readonly claim: ChosenClaim }
  | {
      readonly type: 'AckSeen';
      readonly owner: string;
      readonly item: string;
      readonly ack: Ack;
      readonly path?: 'direct' | undefined;
    }
  | {
      readonly type: 'LeaseSeen';
      readonly owner: string;
      readonly item: string;
      readonly lease: Lease;
      readonly number?: OrderNumber | undefined;
      readonly path?: 'direct' | undefined;
    }
  | { readonly type: 'OwnerFact'; readonly item: string; readonly fact: OwnerInput }
  /** `guest` is `<owner>/<item>/<epoch>`. */
  | { readonly type: 'GuestFact'; readonly guest: string; readonly fact: ReceiverInput }
  /** `target` is `run/<owner>/<item>/<epoch>` or `pid/<pid>`. */
  | { readonly type: 'ThrottleFact'; readonly target: string; readonly fact: ThrottlingInput }
  /** The matrix wants a process moved that tritmesh did not start, and a rule lets it. */
  | {
      readonly type: 'ProcessMoveWanted';
      readonly pid: number;
      /** Start as the system counts it, where known. */
      readonly start: string | undefined;
      readonly reason: string;
    }
  | { readonly type: 'RequestHeard'; readonly request: Request; readonly signedBy: string | undefined }
  /** A member answered whether an image would fit there. */
  | { readonly type: 'FitHeard'; readonly node: string; readonly response: Response }
  /** This node is to go by another id; `undefined`: nobody wants that any more. */
  | { readonly type: 'RenameWanted'; readonly to: string | undefined; readonly isNews: boolean }
  | { readonly type: 'SetHeard'; readonly key: string; readonly value: string }
  /** A request that could not be read or may not be obeyed, to be answered all the same. */
  | {
      readonly type: 'RequestRefused';
      readonly verb: string;
      readonly reason: string;
      readonly transaction: string | undefined;
    }
  /** Somebody wants everything said again. */
  | { readonly type: 'RefreshAsked' }
  /** A request was decided: its response stands behind what the request caused. */
  | { readonly type: 'RequestAnswered'; readonly subject: string; readonly response: Say }
  /** Something is to be told to people. */
  | { readonly type: 'EventWanted'; readonly event: Say }
  /** Somebody says to be this node, with another key. */
  | { readonly type: 'RivalHeard'; readonly host: string }
  /** Something was said in this node's name that it cannot have said; `boot` is the run that did. */
  | { readonly type: 'TwinTraced'; readonly boot: number; readonly reason: string }
  /** Something is to be called once all that was decided for a subject so far is done. */
  | { readonly type: 'AfterAsked'; readonly subject: string; readonly done: () => void }
  /** The broker did not take what was published. */
  | { readonly type: 'PublishRefused'; readonly topic: string; readonly reason: string }
  /** Whether what this node publishes comes back to it; said when it does not, and when it does again. */
  | { readonly type: 'LoopbackChanged'; readonly works: boolean; readonly topic: string }
  /** Something in the state directory cannot be removed. */
  | { readonly type: 'RemovalFailed'; readonly path: string; readonly reason: string }
  | { readonly type: 'MessageRefused'; readonly topic: string; readonly reason: string }
  /** The journal cannot write: nothing new is taken on until it can. */
  /** There is news of a member that what waits may go by. */
  | { readonly type: 'MemberChanged' }
  /** A member was born: what it was told before may be lost. */
  | { readonly type: 'MemberBorn'; readonly node: string }
  /** The sum, or who is online, is another than before. */
  | { readonly type: 'MeshChanged' }
  | { readonly type: 'JournalChanged'; readonly fault: string | undefined };
