/**
 * A guest: one epoch of an item as its receiver holds it, from the claim to the release. What the journal keeps of it, what
 * only this run knows, and how many slots it takes. No transition happens here.
 */
import { countSlots, type Command, type ForeignProcess, type Need } from '../../protocol/item.js';
import type { Result } from '../../protocol/work-messages.js';
import type { Effect, Instant } from '../effects.js';

/**
 * `claimed`: said so, not acked; `fetching`: its inputs are on their way; `starting`: may have been started; `running`;
 * `collecting`: it ended, its outputs are being described; `ended`: its result is said until the owner settles. Of a move:
 * `freezing`: its image is being written; `frozen`: stopped, the image is complete; `prepared`: a copy, restored and
 * stopped; `thawing`: may run again.
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

/** What is known of a process to find it again: see the runner's handle. */
export interface ProcessHandle {
  readonly pid: number;
  readonly start: string;
}

/** A renewal as it was sent: dated before its first byte left, and under a number that no other transmission has. */
export interface SentRenewal {
  readonly renewal: number;
  readonly at: number;
  readonly path: 'bus' | 'direct';
}

/** What numbers the messages of one writer: they rise. */
export interface OrderNumber {
  readonly boot: number;
  readonly seq: number;
}

/** What survives a restart of the receiver. A claim is not kept: what is not acked means nothing. */
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
  /** It is the copy of a process: its image is restored, no command is started. */
  readonly image: boolean;
  /** A process that was found running on this machine, and was not started by tritmesh. */
  readonly process: ForeignProcess | null;
  /** The last move that the owner asked for, and why it was not made. */
  readonly move: number;
  readonly refused: string | null;
  /** Its owner listens at `urls` for what it is told; not in journals of versions before. */
  readonly direct?: boolean;
  /** The owner's key that small outputs are sealed to. Not in journals of versions before, nor of owners that told none. */
  readonly sealKey?: string | undefined;
}

/** A guest with what only this run of the receiver knows. Monotonic ms. */
export interface Guest extends GuestRecord {
  /** The rank that the claim told. */
  readonly rank: number;
  /** Number of the claim, and when it was sent: the lease counts from there. */
  readonly claimRenewal: number;
  readonly claimedAt: number;
  /** Until when the item may run; only an answer of the owner moves it. */
  readonly leaseEndsAt: number;
  /** Number of the last renewal, and when and how the last few were sent. */
  readonly renewal: number;
  readonly sent: readonly SentRenewal[];
  /** When the direct path was last tried although nothing called for it, and whether an answer ever came back by it. */
  readonly probedAt: number;
  readonly reached: boolean;
  /** The last order that was obeyed: two paths overtake each other. */
  readonly ordered: OrderNumber | null;
  readonly renewAt: number;
  readonly startedMs: number;
  /** When the result is said again, and the pause after that. */
  readonly repeatAt: number;
  readonly repeatMs: number;
  readonly endedMs: number;
  /** Why this machine wants to be rid of it, until its owner has it moved. */
  readonly wish: string | null;
  /** Its outputs are being brought to its owner. */
  readonly pushing?: boolean | undefined;
  /** Its owner could not be reached for its inputs. */
  readonly unreached?: boolean | undefined;
  /** Its files could not be described: they are not removed with it. */
  readonly keepsFiles: boolean;
}

/** What the receiver's steps go by. */
export interface ReceiverRules {
  readonly self: string;
  readonly claimHoldMs: number;
  /** SIGTERM to SIGKILL when the owner asked to stop. */
  readonly graceMs: number;
  /** The same when the lease ended; must be well within the owner's margin. */
  readonly leaseGraceMs: number;
  readonly repeatMs: number;
  readonly repeatMaxMs: number;
  /** How long a result is kept for an owner that does not answer. */
  readonly keepMs: number;
  /** Renewals of this run of the node are numbered from here, above those of any earlier run. */
  readonly renewalBase: number;
  /** Abilities that a node must have to restore an image that is written here. */
  readonly imageNeed: readonly string[];
  /** Where peers fetch from this node. */
  readonly urls: readonly string[];
  /** The broker is away. */
  readonly isAlone?: boolean;
}

/** Names a guest: `<owner>/<item>/<epoch>`. */
export function guestName(guest: Pick<GuestRecord, 'owner' | 'item' | 'epoch'>): string {
  return `${guest.owner}/${guest.item}/${guest.epoch}`;
}

/** Journal key of a guest. */
export function guestKey(guest: Pick<GuestRecord, 'owner' | 'item' | 'epoch'>): string {
  return `guest/${guestName(guest)}`;
}

/** Whether the guest takes slots: until its run is over. */
export function isLive(guest: GuestRecord): boolean {
  return guest.phase !== 'ended' && guest.phase !== 'collecting';
}

/**
 * A guest as it counts once its machine went down. The mark of its start is a file that may not have reached the disk, so what
 * was about to start counts as started: it must not be refused, for its owner would offer it again. A copy is stopped at first.
 */
export function outliveMachine(guest: GuestRecord): GuestRecord {
  return guest.phase === 'starting' && !guest.image ? { ...guest, phase: 'running' } : guest;
}

/** Whether processes of the guest are on this machine, running or stopped. */
export function hasProcesses(guest: GuestRecord): boolean {
  return isLive(guest) && guest.phase !== 'claimed' && guest.phase !== 'fetching';
}

/** Slots that all guests take together. */
export function countTaken(guests: Iterable<GuestRecord>): number {
  let taken = 0;
  for (const guest of guests) if (isLive(guest)) taken += countSlots(guest.need);
  return taken;
}

/** Bytes on the disk that guests were promised and have not written yet; of one that is being fetched a part may be there. */
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

/** Forgets the guest and its directory. */
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

/** A guest out of the journal; its steps begin with `NodeRestarted`. */
export function fromGuestRecord(record: GuestRecord, at: Instant, rules: ReceiverRules): Guest {
  return {
    ...record,
    rank: 0,
    claimRenewal: rules.renewalBase,
    claimedAt: at.ms,
    // The guardian alone knows how long the lease was last extended; it ends the run whatever this node believes.
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
