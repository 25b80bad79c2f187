/**
 * The shape of each JSON payload, for writers and readers. Units are in the names: ratios 0..n, `*_percent` 0..100,
 * `*_ms`, `*_bytes`. The schemas that check these shapes are in `schemas.ts`.
 */
import type { Status } from './status.js';
import type { Ack, Claim, Lease, LogPiece, Offer, ProgressReport, Result } from './work-messages.js';

/** A node's own judgement of its load: -1 MINUS (idle), 0 ERGODIC (busy), 1 PLUS (overloaded). */
export type Trit = -1 | 0 | 1;

/** The fields that every message carries in addition to its own. */
export interface Stamped {
  readonly v: 1;
  /** Wall clock of the writer, ISO 8601 UTC: for people, never for decisions between machines. */
  readonly ts: string;
  /** Boot number of the writer; rises with each start. */
  readonly boot: number;
  /** Number of the message within this boot. */
  readonly seq: number;
}

/** `node/<id>/info`: the birth message. */
export interface Info {
  /** The raw Ed25519 public key, 43 characters of base64url. */
  readonly key: string;
  /** Its host name. */
  readonly host: string;
  /** As `process.platform` names it: linux, darwin … */
  readonly os: string;
  /** As `process.arch` names it: x64, arm64 … */
  readonly arch: string;
  /** Cpus of the machine. */
  readonly cpus: number;
  /** Memory of the machine. */
  readonly memory_bytes: number;
  /** Version of tritmesh. */
  readonly version: string;
  /** How files are fetched from it: `https`. */
  readonly transports: readonly string[];
  /** What the machine can do, such as `criu` or `podman`: an item may need some of it. */
  readonly abilities: readonly string[];
  /** Labels that its configuration gives it. */
  readonly labels: readonly string[];
}

/** `node/<id>/state`: load, free capacity and settings of the node. */
export interface State {
  /** Its own judgement of its load. */
  readonly trit: Trit;
  /** The load per cpu as measured, 0 and up. */
  readonly load_ratio: number;
  /** The ratio without the guests: the machine's own load. */
  readonly own_ratio: number;
  /** The ratio including accepted items whose load does not show yet. */
  readonly projected_ratio: number;
  /** Cpus that the load is divided by, above 0 and at most 4096. */
  readonly cpus: number;
  /** Processor time in use, as a share of the machine, 0 to 100. */
  readonly cpu_percent: number;
  /** Memory in use, as a share of the machine, 0 to 100. */
  readonly memory_percent: number;
  /** Share of time in which something waited for a cpu, 10 s average, 0 to 100; missing without PSI. */
  readonly psi_percent?: number | undefined;
  /**
   * Bytes that items may still take on the disk of the state directory: free space less the reserve and less what was
   * promised. 0: the disk is below its reserve and the node takes nothing. Missing: not known.
   */
  readonly disk_free_bytes?: number | undefined;
  /** How many items may run here at once. */
  readonly slots: number;
  /** How many slots are free; 0 while it drains or its disk is full. */
  readonly slots_free: number;
  /** Number of acked items here, its own included. */
  readonly guests: number;
  /** Number of its own items that wait for a receiver. */
  readonly queued: number;
  /** Number of its own items that wait for a negative sum. */
  readonly deferred: number;
  /** It takes nothing, and its guests leave. */
  readonly draining: boolean;
  /** Whether it takes work of other nodes. */
  readonly accepting: boolean;
  /** Number of SCUM processes. */
  readonly scum: number;
  /** Messages rejected since boot: malformed, oversized, forged or stale. */
  readonly rejected: number;
  /** A number in its journal that rises while the node runs; a lower one later shows an older copy. */
  readonly mark?: number | undefined;
  /** Another machine with this node's key and journal that was seen lately and stays off. */
  readonly copy?: string | undefined;
  /** A state older than this must not be believed, seconds. */
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
  /** Whether the node carries out `action`, and why or why not. */
  readonly acts?: boolean | undefined;
  readonly why?: string | undefined;
  /** Its throttle, if any: the share of one core that its target gets, 0 to 100 times the cores, and the method. */
  readonly throttled_percent?: number | undefined;
  readonly throttled_by?: string | undefined;
}

/** `node/<id>/scum`: the heaviest processes, highest score first; `count` counts all SCUM, listed or not. */
export interface Scum {
  readonly count: number;
  readonly items: readonly ScumItem[];
  /** The formula behind the scores; `clamped` if missing. */
  readonly formula?: 'clamped' | 'seed' | undefined;
}

/** What the sum asks of the mesh: `shed` above 0, `wake` below 0, `rest` at 0. */
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
  /** Code of the error, if it has one (reasons.ts). */
  readonly code?: string | undefined;
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
  readonly progress: ProgressReport;
  readonly result: Result;
  readonly log: LogPiece;
  readonly status: Status;
  readonly mesh: MeshState;
}

/** The kinds of topic that carry a stamped JSON message. */
export type MessageKind = keyof Bodies;
/** The decoded message of a kind: its body and its stamp. */
export type Message<K extends MessageKind> = Bodies[K] & Stamped;
