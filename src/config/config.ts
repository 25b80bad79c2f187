/**
 * The configuration of a node and of the commands that speak for it: every key there is, with its unit. The names are the
 * same in yaml, here, and (joined by `-` or `_`) in flags and variables.
 */
import type { ScumPolicy } from '../core/scum-policy.js';
import type { ThrottleMethod } from '../core/throttle-record.js';
import type { Verb } from '../protocol/requests.js';

/** What is in force. Ratios are load per cpu, `*_ms` milliseconds. */
export interface Config {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`, host and port, no credentials. */
  readonly broker: string;
  /** The node's id when a password is given and no name. */
  readonly username?: string | undefined;
  /** Given as it is, or read from `password_file`. */
  readonly password?: string | undefined;
  readonly password_file?: string | undefined;
  /** PEM file of the authority that signed the broker's certificate. */
  readonly ca_file?: string | undefined;
  /** Path of criu; without it the one on PATH, then `/opt/criu/criu`. */
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
  /** `sync`: each step waits for the disk, and survives power loss too. */
  readonly journal: { readonly sync: boolean };
  readonly transfer: TransferConfig;
  /** What guests must leave free on the disk of the state directory: `auto`, a size or a share of the disk. */
  readonly disk: { readonly reserve: string };
  /** `output`: what a job may write to stdout and stderr while nobody reads it, a size or a share of the room on the disk. */
  readonly limits: { readonly output: string };
  /** Which foreign work this node takes. */
  readonly accept: 'nothing' | 'commands';
  /** Node ids whose work it takes; `*` is every member. */
  readonly accept_from: readonly string[];
  /** Verbs that are obeyed without a signature; `run` never is. */
  readonly requests: { readonly unsigned: readonly Verb[] };
  /** How often `state` is said when nothing changes, and how long an `offline` must stand to be believed. */
  readonly state: { readonly every_ms: number; readonly offline_after_ms: number };
  /** How many times an item may be started in all, where its submitter does not say. */
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

/** What is heavy, and what is done about it. */
export interface ScumConfig {
  readonly formula: 'clamped' | 'seed';
  /** What the node acts on by itself. */
  readonly throttle: ScumPolicy;
  readonly migrate: ScumPolicy;
  /** `throttle:`, `migrate:` or `any:`, then `name=`, `user=` and `cgroup=` patterns joined by `&`. */
  readonly rules: readonly string[];
  /** Of one core, for a throttled item or process. */
  readonly share_percent: number;
  readonly throttle_methods: readonly ThrottleMethod[];
  /** How long the machine's own load is PLUS before guests of others are sent away. */
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
  /** How long the owner collects claims when rank 0 is silent. */
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
  /** Address to listen on. */
  readonly listen: string;
  /** 0: a free one. */
  readonly port: number;
  /** Where peers reach this node, where its own addresses are not it: `host`, `host:port` or `[v6]:port`, best first. */
  readonly advertise: readonly string[];
}
