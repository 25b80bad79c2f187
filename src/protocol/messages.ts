/**
 * What travels: the shape of each JSON payload, for writers and readers. Units are in the names: ratios 0..n,
 * `*_percent` 0..100, `*_ms`, `*_bytes`. The schemas that check these shapes are in `codec.ts`.
 */
import type { Command, Need } from './item.js';
import type { Status } from './status.js';

/** -1 MINUS (idle), 0 ERGODIC, +1 PLUS (overloaded). */
export type Trit = -1 | 0 | 1;

/** What every message carries beside its own fields. */
export interface Stamped {
  readonly v: 1;
  /** Wall clock of the writer, ISO 8601 UTC: for people, never for decisions between machines. */
  readonly ts: string;
  /** Number of this run of the writer, one higher at each start. */
  readonly boot: number;
  /** Number of the message within this run. */
  readonly seq: number;
}

/** `node/<id>/info`: the birth certificate. */
export interface Info {
  /** The raw Ed25519 public key, 43 characters of base64url. */
  readonly key: string;
  readonly host: string;
  readonly os: string;
  readonly arch: string;
  readonly cpus: number;
  readonly memory_bytes: number;
  readonly version: string;
  readonly transports: readonly string[];
  readonly abilities: readonly string[];
  readonly labels: readonly string[];
}

/** `node/<id>/state`: how the node is. */
export interface State {
  readonly trit: Trit;
  readonly load_ratio: number;
  /** The ratio with the guests left out: the machine's own load. */
  readonly own_ratio: number;
  /** The ratio with accepted items counted in before their load shows. */
  readonly projected_ratio: number;
  readonly cpus: number;
  readonly cpu_percent: number;
  readonly memory_percent: number;
  /** Share of time in which something waited for a cpu, 10 s average, where the kernel tells (PSI). */
  readonly psi_percent?: number | undefined;
  readonly slots: number;
  readonly slots_free: number;
  readonly guests: number;
  readonly queued: number;
  readonly deferred: number;
  readonly draining: boolean;
  readonly accepting: boolean;
  /** Number of SCUM processes. */
  readonly scum: number;
  /** Messages that this run refused: malformed, oversized, forged, stale. */
  readonly rejected: number;
  /** A state older than this is not to be believed. */
  readonly ttl_s: number;
}

/** One heavy process as published. */
export interface ScumItem {
  readonly pid: number;
  readonly name: string;
  readonly score: number;
  /** Share of one core, 0 to 100 times the cores. */
  readonly cpu_percent: number;
  readonly memory_percent: number;
  readonly age_s: number;
  readonly action: 'migrate' | 'throttle' | 'allow' | 'none';
  readonly movable: boolean;
  /** The item that the process belongs to. */
  readonly item?: string | undefined;
  /** Whether the node does what `action` says, and why, or why not. */
  readonly acts?: boolean | undefined;
  readonly why?: string | undefined;
  /** The throttle that it is under: share of one core that its target gets, 0 to 100 times the cores, and the method. */
  readonly throttled_percent?: number | undefined;
  readonly throttled_by?: string | undefined;
}

/** `node/<id>/scum`: the heavy processes, highest score first; `count` is of all of them. */
export interface Scum {
  readonly count: number;
  readonly items: readonly ScumItem[];
  /** How scores are made; `clamped` where it is not said. */
  readonly formula?: 'clamped' | 'seed' | undefined;
}

/** `work/<owner>/<item>/offer`. */
export interface Offer {
  readonly epoch: number;
  readonly kind: 'job';
  readonly name: string;
  readonly need: Need;
  readonly size_bytes: number;
  readonly hops: number;
  readonly avoid: readonly string[];
  /** Only MINUS nodes, the owner too: the item was asleep until the sum turned negative. */
  readonly deferred: boolean;
  readonly reason: string;
  /** Counts from hearing it; `expires_at` is the same for people. */
  readonly ttl_ms: number;
  readonly expires_at: string;
}

/** `work/<owner>/<item>/claim/<node>`: the first renewal of the lease, numbered like the others. */
export interface Claim {
  readonly epoch: number;
  /** Number of this claim; the same one when it is said again. */
  readonly renewal: number;
  readonly projected_ratio: number;
  readonly slots_free: number;
  readonly rank: number;
}

/** `work/<owner>/<item>/ack`: names the one receiver of this epoch. */
export interface Ack {
  readonly epoch: number;
  readonly to: string;
  /** The number of the claim that is answered: the lease counts from the sending of that one. */
  readonly renewal: number;
  readonly lease_ms: number;
  /** `none` when the item has nothing to fetch; `command` stands here then. */
  readonly transport: 'none' | 'https';
  /** Where to fetch: `https://host:port`, in the order to try. */
  readonly urls: readonly string[];
  readonly manifest_sha256?: string | undefined;
  readonly command?: Command | undefined;
}

/** What an owner wants of a receiver: `hold` extends, `cancel` and `vacate` ask to stop, the others release it. */
export type Order = 'hold' | 'cancel' | 'vacate' | 'settled' | 'gone';

/** `work/<owner>/<item>/lease`: the owner's answer to renewal `renewal` of epoch `epoch`, held by `to`. */
export interface Lease {
  readonly epoch: number;
  readonly to: string;
  readonly renewal: number;
  readonly order: Order;
}

/** `work/<owner>/<item>/progress/<node>`: one renewal of the lease. */
export interface Progress {
  readonly epoch: number;
  readonly phase: 'fetching' | 'starting' | 'running' | 'stopping';
  readonly renewal: number;
  readonly bytes?: number | undefined;
  readonly bytes_total?: number | undefined;
}

/**
 * How an epoch ended at its receiver. `exited`: it ran and left an exit code; `vacated`: stopped to be moved, its
 * directory is to be fetched; `refused`: it never started; `cancelled`: stopped because the owner asked; `died`: it
 * ended and left no exit code.
 */
export type Outcome = 'exited' | 'vacated' | 'refused' | 'cancelled' | 'died';

/** `work/<owner>/<item>/result/<node>`. */
export interface Result {
  readonly epoch: number;
  readonly outcome: Outcome;
  readonly exit_code: number | null;
  /** Name of the signal that ended it, where known. */
  readonly signal: string | null;
  readonly reason: string;
  readonly started_at: string | null;
  readonly run_ms: number;
  /** Processor time of the item and its children, seconds. */
  readonly cpu_s: number;
  readonly outputs_count: number;
  readonly outputs_bytes: number;
  readonly manifest_sha256?: string | undefined;
  readonly urls: readonly string[];
}

/** `work/<owner>/<item>/log/<node>`: text that begins at byte `offset` of the stream. */
export interface Log {
  readonly epoch: number;
  readonly stream: 'stdout' | 'stderr';
  readonly offset: number;
  readonly text: string;
  /** The bytes were not UTF-8: the text shows them but cannot stand for them. */
  readonly lossy: boolean;
}

/** What the sum asks of the mesh: > 0 shed, < 0 wake, 0 rest. */
export type Direction = 'shed' | 'wake' | 'rest';

/** `mesh/state`: what the reporter derives from all members. */
export interface MeshState {
  readonly sum: number;
  readonly residue: 0 | 1 | 2;
  readonly invariant: boolean;
  readonly direction: Direction;
  readonly online: number;
  readonly plus: number;
  readonly ergodic: number;
  readonly minus: number;
  /** The three least loaded receivers, best first. */
  readonly receivers: readonly string[];
  readonly reporter: string;
}

/** `node/<id>/event`: something happened; the other fields depend on the type. */
export interface NodeEvent {
  readonly event_type: string;
  readonly reason?: string | undefined;
  readonly [field: string]: unknown;
}

/** `node/<id>/response/<verb>`: the answer to a request. */
export interface Response {
  readonly status: 'ok' | 'error';
  readonly error?: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
  readonly transaction?: string | undefined;
}

/** The body of each kind of stamped message. */
export interface Bodies {
  readonly info: Info;
  readonly state: State;
  readonly scum: Scum;
  readonly event: NodeEvent;
  readonly response: Response;
  readonly offer: Offer;
  readonly claim: Claim;
  readonly ack: Ack;
  readonly lease: Lease;
  readonly progress: Progress;
  readonly result: Result;
  readonly log: Log;
  readonly status: Status;
  readonly mesh: MeshState;
}

/** The kinds of topic that carry a stamped JSON message. */
export type MessageKind = keyof Bodies;
/** The decoded message of a kind: its body and its stamp. */
export type Message<K extends MessageKind> = Bodies[K] & Stamped;
