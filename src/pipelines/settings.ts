/**
 * The settings of a node: what its stages go by, in the units they use. Where they come from is not their business.
 */
import type { MeshRules } from '../core/member.js';
import type { Rebalance } from '../core/offering.js';
import type { OwnerRules } from '../core/owner/owned-item.js';
import type { ReceiverRules } from '../core/receiver/guest.js';
import type { ScumFormula } from '../core/scum.js';
import type { ScumPolicies } from '../core/scum-policy.js';
import type { MoveRules } from '../core/shedding.js';
import type { TritRules } from '../core/trit.js';
import type { Info } from '../protocol/messages.js';

/** What a node is told at its start. All times in ms. */
export interface NodeSettings {
  readonly id: string;
  readonly base: string;
  readonly info: Omit<Info, 'key'>;
  /** Names the present run of the machine: another one means that it was down. */
  readonly machineRun: string;
  /** Whether each journal write waits for the disk. */
  readonly journalSync: boolean;
  readonly slots: number;
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
  readonly owner: Omit<OwnerRules, 'self' | 'urls'>;
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
