/**
 * A renewal of the lease: progress is said under the next number, and when it was sent is remembered, for the lease
 * counts from there once the owner has answered it.
 */
import type { Progress } from '../../protocol/work-messages.js';
import type { Effect, Instant, Step, Way } from '../effects.js';
import { say } from '../effects.js';
import { hasProcesses, type Guest, type ReceiverRules, type SentRenewal } from './guest.js';

/** Answers to renewals older than this many are no longer matched: more than are sent in a lease. */
const SENT_MAX = 32;
/** How often the direct path is tried as long as nothing came back by it, and how long an answer may take, ms. */
const PROBE_MS = 60_000;
const PROBED_MS = 10_000;

type Path = SentRenewal['path'];
type Bytes = { readonly bytes: number; readonly total: number };

/** Says progress with the next renewal number, by the path that is likely to be heard. */
export function renewLease(guest: Guest, at: Instant, rules: ReceiverRules, bytes?: Bytes): Step<Guest> {
  return renewBy(guest, choosePaths(guest, at, rules), at, rules, bytes);
}

/** Says progress by each of these paths, each time under a number of its own. */
export function renewBy(
  guest: Guest,
  paths: readonly Path[],
  at: Instant,
  rules: ReceiverRules,
  bytes?: Bytes,
): Step<Guest> {
  const sent = paths.map((path, index): SentRenewal => ({ renewal: guest.renewal + 1 + index, at: at.ms, path }));
  const state: Guest = {
    ...guest,
    renewal: guest.renewal + sent.length,
    sent: [...guest.sent, ...sent].slice(-SENT_MAX),
    probedAt: paths.includes('direct') ? at.ms : guest.probedAt,
    renewAt: at.ms + pauseMs(guest),
  };
  return { state, effects: sent.map((one) => sayProgress(guest, one, at, rules, bytes)) };
}

function sayProgress(
  guest: Guest,
  { renewal, path }: SentRenewal,
  at: Instant,
  rules: ReceiverRules,
  bytes: Bytes | undefined,
): Effect {
  const topic = { kind: 'progress', owner: guest.owner, item: guest.item, node: rules.self } as const;
  const advance = bytes === undefined ? {} : { bytes: bytes.bytes, bytes_total: bytes.total };
  const phase = shownPhase(guest);
  const body = {
    epoch: guest.epoch,
    phase,
    renewal,
    ...advance,
    ...tellMove(guest),
    ...tellDirect(guest, at, rules),
    ...askInputs(guest, rules),
  };
  return say(topic, body, path === 'direct' ? wayToOwner(guest, true) : undefined);
}

/** The direct path to the owner. */
export function wayToOwner({ owner, urls }: Guest, only: boolean): Way {
  return { to: owner, urls, only };
}

/** Whether there may be a direct path to the owner at all. */
export function hasDirect(guest: Guest, rules: ReceiverRules): boolean {
  return guest.direct === true && guest.owner !== rules.self;
}

/**
 * The bus as long as it answers; what it left unanswered for a while goes the other way. The first renewal takes both, so that it
 * is known early whether the other way exists.
 */
function choosePaths(guest: Guest, at: Instant, rules: ReceiverRules): readonly Path[] {
  if (!hasDirect(guest, rules)) return ['bus'];
  if (rules.isAlone === true) return ['direct'];
  const last = guest.sent.at(-1);
  if (last === undefined) return ['bus', 'direct'];
  if (silenceMs(guest, at) >= answerMs(guest)) return last.path === 'bus' ? ['direct'] : ['bus'];
  return !guest.reached && at.ms >= guest.probedAt + PROBE_MS ? ['bus', 'direct'] : ['bus'];
}

/** How long nothing was answered that would extend the lease. */
function silenceMs(guest: Guest, at: Instant): number {
  const first = guest.sent.find((one) => one.at + guest.leaseMs > guest.leaseEndsAt);
  return first === undefined ? 0 : at.ms - first.at;
}

/** How long an answer may take before the other path is tried: 5 s with a lease of a minute. */
export function answerMs(guest: Guest): number {
  return Math.min(guest.leaseMs / 12, PAUSE_MS_MAX / 4);
}

function tellDirect(guest: Guest, at: Instant, rules: ReceiverRules): Pick<Progress, 'direct'> {
  if (guest.owner === rules.self) return {};
  if (guest.reached) return { direct: true };
  const tried = !hasDirect(guest, rules) || at.ms >= guest.probedAt + PROBED_MS;
  return tried && guest.sent.length > 0 ? { direct: false } : {};
}

/**
 * Its guardian is in doubt. Answers to what was said before may be older than the sleep that raised the doubt: they extend nothing any
 * more. The run may be stopped until this one is answered, and after a sleep the first message is easily lost: the next follows soon.
 */
export function renewDoubted(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  if (!hasProcesses(guest)) return { state: guest, effects: [] };
  const { state, effects } = renewLease({ ...guest, sent: [] }, at, rules);
  return { state: { ...state, renewAt: at.ms + pauseMs(state) }, effects };
}

/** A long lease is no reason to be silent for long: people and the owner go by what is said. */
function pauseMs(guest: Guest): number {
  return wasAnswered(guest) ? Math.min(guest.leaseMs / 3, PAUSE_MS_MAX) : answerMs(guest);
}

const PAUSE_MS_MAX = 20_000;

function tellMove(guest: Guest): Pick<Progress, 'move' | 'refused' | 'wants_move'> {
  return {
    ...(guest.move === 0 ? {} : { move: guest.move }),
    ...(guest.refused === null ? {} : { refused: guest.refused }),
    ...(guest.wish === null ? {} : { wants_move: guest.wish }),
  };
}

/** The owner cannot be reached: it is to bring the inputs. Said again and again, for messages are lost. */
function askInputs(guest: Guest, { urls }: ReceiverRules): Pick<Progress, 'push_to'> {
  return guest.phase === 'fetching' && guest.unreached === true ? { push_to: urls } : {};
}

/** Whether the last renewal extended the lease. One that was lost must not cost a third of a lease: the next follows soon. */
export function wasAnswered(guest: Guest): boolean {
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
