/**
 * The configuration of a node and of the commands that act for it: every key, with its unit. Keys have the same names
 * in yaml, here, and (joined by `-` or `_`) in flags and variables.
 */
import type { ScumPolicy } from '../core/processes/scum-policy.js';
import type { ThrottleMethod } from '../core/processes/saved-throttle.js';
import type { Verb } from '../protocol/requests.js';

/** The settings in force. Ratios are load per cpu, `*_ms` are milliseconds. */
export interface Config {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`, host and port, no credentials. */
  readonly broker: string;
  /** Defaults to the node's id when only a password is given. */
  readonly username?: string | undefined;
  /** Given directly, or read from `password_file`. */
  readonly password?: string | undefined;
  readonly password_file?: string | undefined;
  /** PEM file of the authority that signed the broker's certificate. */
  readonly ca_file?: string | undefined;
  /** Path of criu; by default the one on PATH, then `/opt/criu/criu`. */
  readonly criu?: string | undefined;
  /** This node's id. */
  readonly id: string;
  /** Base topic. */
  readonly base: string;
  /** Absolute directory of keys, journal, items and guests. */
  readonly state_dir: string;
  readonly labels: readonly string[];
  /** Guests and own items that may run here at once. */
  readonly slots: number;
  /** Cores of this machine. */
  readonly cpus: number;
  readonly sense: SenseConfig;
  readonly trit: TritConfig;
  readonly scum: ScumConfig;
  readonly rebalance: 'pairs' | 'gf3';
  readonly lease: { readonly lease_ms: number; readonly margin_ms: number };
  readonly offers: OffersConfig;
  readonly moves: MovesConfig;
  /** `sync`: each write waits for the disk, and thus survives power loss too. */
  readonly journal: { readonly sync: boolean };
  readonly transfer: TransferConfig;
  /** What guests must leave free on the disk of the state directory: `auto`, a size or a share of the disk. */
  readonly disk: { readonly reserve: string };
  /** `output`: what a job may write to stdout and stderr unread, as a size or a share of the disk. */
  readonly limits: { readonly output: string };
  /** Which work of other nodes this node accepts. */
  readonly accept: 'nothing' | 'commands';
  /** Ids of the nodes whose work it accepts; `*` is every member. */
  readonly accept_from: readonly string[];
  /** Verbs that are accepted without a signature; `run` never is. */
  readonly requests: { readonly unsigned: readonly Verb[] };
  /** How often `state` is published when nothing changes, and how long `offline` must last before it counts. */
  readonly state: { readonly every_ms: number; readonly offline_after_ms: number };
  /** How many times an item may be started in total, unless its submitter says otherwise. */
  readonly retry: { readonly attempts: number };
  /** How long a settled item is kept in the journal, and its status on the bus. */
  readonly keep_settled_ms: number;
  readonly status_kept_ms: number;
  readonly log_level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** How the load is sensed. */
export interface SenseConfig {
  /** `ewma`, `loadavg1`, `cgroup`, `tree:PID`, `tree:self`, `tree:jobs`, `command:CMD` or `fixed:N`. */
  readonly metric: string;
  readonly load_every_ms: number;
  readonly processes_every_ms: number;
}

/** Which processes are heavy, and what is done about them. */
export interface ScumConfig {
  readonly formula: 'clamped' | 'seed';
  /** What the node does without being asked. */
  readonly throttle: ScumPolicy;
  readonly migrate: ScumPolicy;
  /** `throttle:`, `migrate:` or `any:`, then `name=`, `user=` and `cgroup=` patterns joined by `&`. */
  readonly rules: readonly string[];
  /** Of one core, for a throttled item or process. */
  readonly share_percent: number;
  readonly throttle_methods: readonly ThrottleMethod[];
  /** How long the machine's own load must be PLUS before guests of other owners are moved away. */
  readonly vacate_after_ms: number;
}

/** When the trit changes. */
export interface TritConfig {
  readonly plus_above: number;
  readonly plus_leave_below: number;
  readonly minus_below: number;
  readonly minus_leave_above: number;
  readonly plus_hold_ms: number;
  readonly minus_hold_ms: number;
  readonly ergodic_hold_ms: number;
  readonly hysteresis: boolean;
}

/** How items are offered and claimed. */
export interface OffersConfig {
  readonly ttl_ms: number;
  readonly repeat_ms: number;
  /** Delay of a claim per rank. */
  readonly claim_step_ms: number;
  /** How long the owner collects claims when the first-ranked member is silent. */
  readonly claim_window_ms: number;
  /** How long a claimant keeps its slots free for the ack. */
  readonly claim_hold_ms: number;
}

/** When running work moves. */
export interface MovesConfig {
  readonly projected_max: number;
  readonly gain_min: number;
  readonly cooldown_ms: number;
  readonly item_rest_ms: number;
}

/** Where files are served. */
export interface TransferConfig {
  /** Address that the server listens on. */
  readonly listen: string;
  /** 0 picks any free port. */
  readonly port: number;
  /** Where peers reach this node if not at its own addresses: `host`, `host:port` or `[v6]:port`, best first. */
  readonly advertise: readonly string[];
}
