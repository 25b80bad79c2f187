/**
 * A renewal of the lease: progress is said under the next number, and when it was sent is remembered, for the lease
 * counts from there once the owner has answered it.
 */
import type { Progress } from '../../protocol/work-messages.js';
import type { Instant, Step } from '../effects.js';
import { say } from '../effects.js';
import type { Guest, ReceiverRules } from './guest.js';

/** Answers to renewals older than this many are no longer matched. */
const SENT_MAX = 8;

/** Says progress with the next renewal number. */
export function renewLease(
  guest: Guest,
  at: Instant,
  rules: ReceiverRules,
  bytes?: { readonly bytes: number; readonly total: number },
): Step<Guest> {
  const renewal = guest.renewal + 1;
  const next: Guest = {
    ...guest,
    renewal,
    sent: [...guest.sent, { renewal, at: at.ms }].slice(-SENT_MAX),
    renewAt: at.ms + pauseMs(guest),
  };
  const topic = { kind: 'progress', owner: guest.owner, item: guest.item, node: rules.self } as const;
  const advance = bytes === undefined ? {} : { bytes: bytes.bytes, bytes_total: bytes.total };
  const body = { epoch: guest.epoch, phase: shownPhase(guest), renewal, ...advance, ...tellMove(guest) };
  return { state: next, effects: [say(topic, body)] };
}

/** A long lease is no reason to be silent for long: people and the owner go by what is said. */
function pauseMs(guest: Guest): number {
  return wasAnswered(guest)
    ? Math.min(guest.leaseMs / 3, PAUSE_MS_MAX)
    : Math.min(guest.leaseMs / 12, PAUSE_MS_MAX / 4);
}

const PAUSE_MS_MAX = 20_000;

function tellMove(guest: Guest): Pick<Progress, 'move' | 'refused' | 'wants_move'> {
  return {
    ...(guest.move === 0 ? {} : { move: guest.move }),
    ...(guest.refused === null ? {} : { refused: guest.refused }),
    ...(guest.wish === null ? {} : { wants_move: guest.wish }),
  };
}

/** Whether the last renewal extended the lease. One that was lost must not cost a third of a lease: the next follows soon. */
function wasAnswered(guest: Guest): boolean {
  const last = guest.sent.at(-1);
  return last === undefined || last.at + guest.leaseMs <= guest.leaseEndsAt;
}

function shownPhase(guest: Guest): Progress['phase'] {
  switch (guest.phase) {
    case 'fetching':
      return guest.phase;
    case 'starting':
    case 'running':
    case 'freezing':
    case 'frozen':
    case 'prepared':
    case 'thawing':
      return guest.stopping === null || guest.phase === 'starting' ? guest.phase : 'stopping';
    default:
      return 'stopping';
  }
}
