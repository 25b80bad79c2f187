/**
 * A guest: one epoch of an item as its receiver holds it, from claim to release: the journalled part, what only this
 * boot knows, and the slots and disk space that it takes. No transition happens here.
 */
import { countSlots, type Command, type ExternalProcess, type Need } from '../../protocol/item.js';
import type { Result } from '../../protocol/work-messages.js';
import type { Effect, Instant } from '../effects.js';
import { guestKey, guestName } from './guest-name.js';

/**
 * `claimed`: claimed, not acked; `fetching`: its inputs are being fetched; `starting`: may have been started;
 * `running`; `collecting`: it ended, the manifest of its outputs is being built; `ended`: its result is published until
 * the owner settles. During a move: `freezing`: its image is being written; `frozen`: stopped, with a complete image;
 * `prepared`: a copy, restored and stopped; `thawing`: may be running again.
 */
export type GuestPhase =
  | 'claimed'
  | 'fetching'
  | 'starting'
  | 'running'
  | 'freezing'
  | 'frozen'
  | 'prepared'
  | 'thawing'
  | 'collecting'
  | 'ended';

/** Why a run is being stopped. */
export type StopCause = 'cancel' | 'vacate' | 'lease' | 'gone' | 'wall' | 'output';

/** Identifies the process of a run; see the handle of the runner. */
export interface ProcessHandle {
  readonly pid: number;
  readonly start: string;
}

/** A renewal that was sent: `at` is before its first byte left, and no other transmission has its number. */
export interface SentRenewal {
  readonly renewal: number;
  readonly at: number;
  readonly path: 'bus' | 'direct';
}

/** Orders the messages of one writer; rises with each of them. */
export interface OrderNumber {
  readonly boot: number;
  readonly seq: number;
}

/**
 * The part of a guest that survives a restart of its receiver. Claims are not journalled: without an ack they are void.
 */
export interface GuestRecord {
  readonly owner: string;
  readonly item: string;
  readonly epoch: number;
  readonly name: string;
  readonly need: Need;
  readonly phase: GuestPhase;
  readonly command: Command | null;
  readonly leaseMs: number;
  readonly urls: readonly string[];
  readonly sha256: string | null;
  readonly handle: ProcessHandle | null;
  readonly stopping: StopCause | null;
  readonly stopReason: string;
  readonly startedAt: string | null;
  readonly result: Result | null;
  /** It is the copy of a process: an image is restored, no command is started. */
  readonly image: boolean;
  /** Set for an external process, which tritmesh did not start. */
  readonly process: ExternalProcess | null;
  /** Number of the last move that the owner ordered, and why it was refused. */
  readonly move: number;
  readonly refused: string | null;
  /** Its owner accepts messages at `urls`; missing in journals of earlier versions. */
  readonly direct?: boolean;
  /** The owner's key for sealing small outputs. Missing in journals of earlier versions, and if the owner sent none. */
  readonly sealKey?: string | undefined;
}

/** A guest with what only this boot of the receiver knows. Monotonic ms. */
export interface Guest extends GuestRecord {
  /** The rank in its claim. */
  readonly rank: number;
  /** Number of the claim, and when it was sent: the first lease counts from then. */
  readonly claimRenewal: number;
  readonly claimedAt: number;
  /** Until when the item may run; only an answer of the owner extends it. */
  readonly leaseEndsAt: number;
  /** Number of the last renewal, and when and how the last few were sent. */
  readonly renewal: number;
  readonly sent: readonly SentRenewal[];
  /** When the direct path was last used, and whether an answer ever came back over it. */
  readonly probedAt: number;
  readonly reached: boolean;
  /** The last order that was obeyed; messages on two paths overtake each other. */
  readonly ordered: OrderNumber | null;
  readonly renewAt: number;
  readonly startedMs: number;
  /** When its start is told: published and journalled. Missing once it was, and for what is told without delay. */
  readonly tellAt?: number | undefined;
  /** When the result is published again, and the pause after that. */
  readonly repeatAt: number;
  readonly repeatMs: number;
  readonly endedMs: number;
  /** Why this machine wants it moved away; reported until its owner moves it. */
  readonly wish: string | null;
  /** Its outputs are being pushed to its owner. */
  readonly pushing?: boolean | undefined;
  /** Its owner could not be reached for its inputs. */
  readonly unreached?: boolean | undefined;
  /** The manifest of its files could not be built: they are not removed with it. */
  readonly keepsFiles: boolean;
}

/** What the receiver's step depends on. Times in ms. */
export interface ReceiverRules {
  readonly self: string;
  readonly claimHoldMs: number;
  /** Time from SIGTERM to SIGKILL when the owner asked to stop. */
  readonly graceMs: number;
  /** The same when the lease has ended; must be well below the margin of the owner. */
  readonly leaseGraceMs: number;
  readonly repeatMs: number;
  readonly repeatMaxMs: number;
  /**
   * For how long after the order to start nothing is published or journalled about a run: most short jobs have ended by
   * then, which makes a renewal, its answer and a write unnecessary.
   */
  readonly silentMs: number;
  /** How long a result is kept for an owner that does not answer. */
  readonly keepMs: number;
  /** Renewals of this boot are numbered from here, above those of any earlier boot. */
  readonly renewalBase: number;
  /** Abilities that a node needs to restore an image written here. */
  readonly imageNeed: readonly string[];
  /** Where peers fetch from this node. */
  readonly urls: readonly string[];
  /** The broker is away. */
  readonly isAlone?: boolean;
}

/** Whether the guest takes slots, which it does until its run is over. */
export function isLive(guest: GuestRecord): boolean {
  return guest.phase !== 'ended' && guest.phase !== 'collecting';
}

/**
 * A guest after a crash of its machine. The file that marks its start may not have reached the disk, so a guest that
 * was starting counts as started: if it were refused, its owner would offer it again. A copy is restored stopped, so it
 * did not run.
 */
export function outliveMachine(guest: GuestRecord): GuestRecord {
  return guest.phase === 'starting' && !guest.image ? { ...guest, phase: 'running' } : guest;
}

/** Whether the guest has processes on this machine, running or stopped. */
export function hasProcesses(guest: GuestRecord): boolean {
  return isLive(guest) && guest.phase !== 'claimed' && guest.phase !== 'fetching';
}

/** The slots that these guests take together. */
export function countTaken(guests: Iterable<GuestRecord>): number {
  let taken = 0;
  for (const guest of guests) if (isLive(guest)) taken += countSlots(guest.need);
  return taken;
}

/** Disk space that was promised to guests and is not used yet, bytes. A fetch may already have written a part of it. */
export function countPromised(guests: Iterable<GuestRecord>): number {
  let promised = 0;
  for (const { phase, need } of guests) {
    if (phase === 'claimed' || phase === 'fetching') promised += need.disk_bytes ?? 0;
  }
  return promised;
}

/** Writes the guest to the journal. */
export function persistGuest(guest: Guest): Effect {
  return { type: 'Persist', key: guestKey(guest), value: toGuestRecord(guest) };
}

/** Removes the guest from the journal, and its directory unless its files are kept. */
export function forgetGuest(guest: Guest): Effect[] {
  return [
    {
      type: 'RemoveGuest',
      guest: guestName(guest),
      files: !guest.keepsFiles,
      ...(guest.keepsFiles ? { kept: true } : {}),
    },
    { type: 'Persist', key: guestKey(guest), value: undefined },
  ];
}

function toGuestRecord(guest: Guest): GuestRecord {
  const { owner, item, epoch, name, need, phase, command, leaseMs, urls, sha256 } = guest;
  const { handle, stopping, stopReason, startedAt, result, image, process, move, refused, direct, sealKey } = guest;
  return {
    owner,
    item,
    epoch,
    name,
    need,
    phase,
    command,
    leaseMs,
    urls,
    sha256,
    handle,
    stopping,
    stopReason,
    startedAt,
    result,
    image,
    process,
    move,
    refused,
    ...(direct === true ? { direct } : {}),
    ...(sealKey === undefined ? {} : { sealKey }),
  };
}

/** A guest from the journal; its first input is `NodeRestarted`. */
export function fromGuestRecord(record: GuestRecord, at: Instant, rules: ReceiverRules): Guest {
  return {
    ...record,
    rank: 0,
    claimRenewal: rules.renewalBase,
    claimedAt: at.ms,
    // Only the watchdog knows how long the lease was last extended; it ends the run whatever this node assumes.
    leaseEndsAt: at.ms + record.leaseMs,
    renewal: rules.renewalBase,
    sent: [],
    probedAt: Number.NEGATIVE_INFINITY,
    reached: false,
    ordered: null,
    renewAt: at.ms,
    startedMs: at.ms,
    repeatAt: at.ms,
    repeatMs: rules.repeatMs,
    endedMs: at.ms,
    wish: null,
    keepsFiles: false,
  };
}
