/**
 * Renews the lease: progress is published under the next number, and its time of sending is remembered, because the
 * lease counts from then once the owner has answered. Also chooses between the bus and the direct path.
 */
import type { ProgressReport } from '../../protocol/work-messages.js';
import type { Effect, Instant, Step, Way } from '../effects.js';
import { publish } from '../effects.js';
import { hasProcesses, type Guest, type ReceiverRules, type SentRenewal } from './guest.js';

/** How many sent renewals are remembered for matching answers; more than are sent during a lease. */
const SENT_MAX = 32;
/** How often the direct path is probed until it has worked once, and how long an answer may take, ms. */
const PROBE_MS = 60_000;
const PROBE_ANSWER_MS = 10_000;

type Path = SentRenewal['path'];
type Bytes = { readonly bytes: number; readonly total: number };

/** Publishes progress with the next renewal number, on the path that is most likely to work. */
export function renewLease(guest: Guest, at: Instant, rules: ReceiverRules, bytes?: Bytes): Step<Guest> {
  return renewBy(guest, choosePaths(guest, at, rules), at, rules, bytes);
}

/** Publishes progress on each of these paths, each with a number of its own. */
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
  return { state, effects: sent.map((one) => publishProgress(guest, one, at, rules, bytes)) };
}

function publishProgress(
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
    ...withMove(guest),
    ...withDirect(guest, at, rules),
    ...askInputs(guest, rules),
  };
  return publish(topic, body, path === 'direct' ? pathToOwner(guest, true) : undefined);
}

/** The direct path to the owner. */
export function pathToOwner({ owner, urls }: Guest, only: boolean): Way {
  return { to: owner, urls, only };
}

/** Whether there may be a direct path to the owner at all. */
export function hasDirect(guest: Guest, rules: ReceiverRules): boolean {
  return guest.direct === true && guest.owner !== rules.self;
}

/**
 * Uses the bus as long as it brings answers, and switches to the other path after a silence. The first renewal takes
 * both, so that it is known early whether the direct path works.
 */
function choosePaths(guest: Guest, at: Instant, rules: ReceiverRules): readonly Path[] {
  if (!hasDirect(guest, rules)) return ['bus'];
  if (rules.isAlone === true) return ['direct'];
  const last = guest.sent.at(-1);
  if (last === undefined) return ['bus', 'direct'];
  if (silenceMs(guest, at) >= answerMs(guest)) return last.path === 'bus' ? ['direct'] : ['bus'];
  return !guest.reached && at.ms >= guest.probedAt + PROBE_MS ? ['bus', 'direct'] : ['bus'];
}

/** How long no renewal was answered that would extend the lease, ms. */
function silenceMs(guest: Guest, at: Instant): number {
  const first = guest.sent.find((one) => one.at + guest.leaseMs > guest.leaseEndsAt);
  return first === undefined ? 0 : at.ms - first.at;
}

/** How long an answer may take before the other path is tried, ms: 5 s with a lease of a minute. */
export function answerMs(guest: Guest): number {
  return Math.min(guest.leaseMs / 12, PAUSE_MS_MAX / 4);
}

function withDirect(guest: Guest, at: Instant, rules: ReceiverRules): Pick<ProgressReport, 'direct'> {
  if (guest.owner === rules.self) return {};
  if (guest.reached) return { direct: true };
  const tried = !hasDirect(guest, rules) || at.ms >= guest.probedAt + PROBE_ANSWER_MS;
  return tried && guest.sent.length > 0 ? { direct: false } : {};
}

/**
 * Its watchdog is in doubt. Answers to earlier renewals may date from before the sleep that raised the doubt, so they
 * no longer extend the lease. The run may be stopped until this renewal is answered, and the first message after a
 * sleep is easily lost, so the next one follows soon.
 */
export function renewDoubted(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  if (!hasProcesses(guest)) return { state: guest, effects: [] };
  const { state, effects } = renewLease({ ...guest, sent: [] }, at, rules);
  return { state: { ...state, renewAt: at.ms + pauseMs(state) }, effects };
}

/** Pause until the next renewal, ms. It is limited even with a long lease: the owner and people depend on progress. */
function pauseMs(guest: Guest): number {
  return wasAnswered(guest) ? Math.min(guest.leaseMs / 3, PAUSE_MS_MAX) : answerMs(guest);
}

const PAUSE_MS_MAX = 20_000;

function withMove(guest: Guest): Pick<ProgressReport, 'move' | 'refused' | 'wants_move'> {
  return {
    ...(guest.move === 0 ? {} : { move: guest.move }),
    ...(guest.refused === null ? {} : { refused: guest.refused }),
    ...(guest.wish === null ? {} : { wants_move: guest.wish }),
  };
}

/** Asks an owner that cannot be reached to push the inputs. Part of every renewal, since messages may be lost. */
function askInputs(guest: Guest, { urls }: ReceiverRules): Pick<ProgressReport, 'push_to'> {
  return guest.phase === 'fetching' && guest.unreached === true ? { push_to: urls } : {};
}

/**
 * Whether the last renewal extended the lease. After a lost one the next follows soon, not after a third of a lease.
 */
export function wasAnswered(guest: Guest): boolean {
  const last = guest.sent.at(-1);
  return last === undefined || last.at + guest.leaseMs <= guest.leaseEndsAt;
}

function shownPhase(guest: Guest): ProgressReport['phase'] {
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
