/** The settings of a node, in the units that its stages use. Where they come from is decided elsewhere. */
import type { DiskAmount } from '../core/disk/disk-space.js';
import type { MeshRules } from '../core/mesh/member.js';
import type { Rebalance } from '../core/placement/offering.js';
import type { OwnerRules } from '../core/owner/owned-item.js';
import type { ReceiverRules } from '../core/receiver/guest.js';
import type { ScumFormula } from '../core/processes/scum.js';
import type { ScumPolicies } from '../core/processes/scum-policy.js';
import type { MoveRules } from '../core/placement/shedding.js';
import type { TritRules } from '../core/mesh/trit.js';
import type { KnownByMesh } from '../core/identity/catch-up.js';
import type { Info } from '../protocol/messages.js';
import type { TwinAsk } from '../protocol/requests.js';

/** How this boot presents itself to a node that may be its twin. */
export interface TwinSettings {
  readonly mine: Omit<TwinAsk, 'boot'>;
  /**
   * The earlier boot that this one continues, if it stopped only to check for a twin: that one decides who was first.
   */
  readonly since: number | undefined;
  /** The node has just checked for a twin: for a while, the way its connections end means nothing. */
  readonly ignoresEarlyLinkEnds: boolean;
  /** Twins that it gave way to and that did not take over. */
  readonly met: readonly string[];
}

/** Settings of a node, fixed for one boot. All times in ms. */
export interface NodeSettings {
  readonly id: string;
  readonly base: string;
  /** The id was derived from the host name and not chosen. Written down with it. */
  readonly idFromHost?: boolean | undefined;
  /** It can be renamed while it runs: the process that started it starts it again under the new id. */
  readonly renames?: boolean | undefined;
  /** How this boot presents itself to a possible twin; without it the node does not look for one. */
  readonly twin?: TwinSettings | undefined;
  /** What the mesh knows of this node beyond its journal: see `core/identity/catch-up.ts`. */
  readonly known?: KnownByMesh | undefined;
  readonly info: Omit<Info, 'key'>;
  /** Names the current boot of the machine: a different one means that the machine was down. */
  readonly machineBoot: string;
  /** Whether each journal write is synced to the disk. */
  readonly journalSync: boolean;
  readonly slots: number;
  /** Disk space that guests must leave free. */
  readonly diskReserve: DiskAmount;
  readonly trit: TritRules;
  readonly scumFormula: ScumFormula;
  readonly scum: ScumPolicies;
  /** The node's own process; 0 where there is none. */
  readonly pid: number;
  /** Port of the broker: a process that listens on it is protected. */
  readonly brokerPort: number;
  readonly rebalance: Rebalance;
  readonly mesh: MeshRules;
  readonly moves: MoveRules;
  readonly owner: Omit<OwnerRules, 'self' | 'urls' | 'runningMs'>;
  readonly receiver: Omit<ReceiverRules, 'self' | 'urls' | 'renewalBase'>;
  readonly claimStepMs: number;
  readonly stateEveryMs: number;
  /** Whether this node works for others, and for whom (`*`: for everyone). */
  readonly accept: 'nothing' | 'commands';
  readonly acceptFrom: readonly string[];
  readonly unsignedVerbs: readonly string[];
  readonly keepSettledMs: number;
  readonly statusKeptMs: number;
}
