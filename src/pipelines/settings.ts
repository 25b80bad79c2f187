/**
 * The settings of a node: what its stages go by, in the units they use. Where they come from is not their business.
 */
import type { DiskAmount } from '../core/disk-room.js';
import type { MeshRules } from '../core/member.js';
import type { Rebalance } from '../core/offering.js';
import type { OwnerRules } from '../core/owner/owned-item.js';
import type { ReceiverRules } from '../core/receiver/guest.js';
import type { ScumFormula } from '../core/scum.js';
import type { ScumPolicies } from '../core/scum-policy.js';
import type { MoveRules } from '../core/shedding.js';
import type { TritRules } from '../core/trit.js';
import type { KnownByMesh } from '../core/catch-up.js';
import type { Info } from '../protocol/messages.js';
import type { TwinAsk } from '../protocol/requests.js';

/** What a run is to one that may be its twin. */
export interface TwinSettings {
  readonly mine: Omit<TwinAsk, 'boot'>;
  /** The run that it goes on from, where it stopped only to look: that one was started first or not. */
  readonly since: number | undefined;
  /** It has just looked: for a while the ends of its connections say nothing. */
  readonly trustsLink: boolean;
  /** Those that it gave way to, and that did not come. */
  readonly met: readonly string[];
}

/** What a node is told at its start. All times in ms. */
export interface NodeSettings {
  readonly id: string;
  readonly base: string;
  /** Nobody chose the id: it was made from the host name. Written down with it. */
  readonly idFromHost?: boolean | undefined;
  /** It can be renamed while it runs: whoever started it starts it again under the new id. */
  readonly renames?: boolean | undefined;
  /** What this run is to one that may be its twin; without it nobody is looked for. */
  readonly twin?: TwinSettings | undefined;
  /** The mesh knows more of this node than its journal: see `core/catch-up.ts`. */
  readonly known?: KnownByMesh | undefined;
  readonly info: Omit<Info, 'key'>;
  /** Names the present run of the machine: another one means that it was down. */
  readonly machineRun: string;
  /** Whether each journal write waits for the disk. */
  readonly journalSync: boolean;
  readonly slots: number;
  /** Disk that guests must leave free. */
  readonly diskReserve: DiskAmount;
  readonly trit: TritRules;
  readonly scumFormula: ScumFormula;
  readonly scum: ScumPolicies;
  /** The node's own process; 0 where it is none. */
  readonly pid: number;
  /** Port of the broker: whoever listens on it is left alone. */
  readonly brokerPort: number;
  readonly rebalance: Rebalance;
  readonly mesh: MeshRules;
  readonly moves: MoveRules;
  readonly owner: Omit<OwnerRules, 'self' | 'urls' | 'runningMs'>;
  readonly receiver: Omit<ReceiverRules, 'self' | 'urls' | 'renewalBase'>;
  readonly claimStepMs: number;
  readonly stateEveryMs: number;
  /** Whether this node works for others, and for whom (`*` for everybody). */
  readonly accept: 'nothing' | 'commands';
  readonly acceptFrom: readonly string[];
  readonly unsignedVerbs: readonly string[];
  readonly keepSettledMs: number;
  readonly statusKeptMs: number;
}
