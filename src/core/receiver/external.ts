/**
 * Turns an external process into a guest of this node, so that it can be moved like any other. Tritmesh did not start
 * it, so until it has moved nothing here ends it.
 */
import type { ExternalProcess, Item } from '../../protocol/item.js';
import type { Instant, Step } from '../effects.js';
import { persistGuest, type Guest, type ReceiverRules } from './guest.js';
import { guestName } from './guest-name.js';

/** Creates a running guest for the process of a submitted item, under `epoch`. */
export function takeExternalProcess(
  item: Item,
  process: ExternalProcess,
  epoch: number,
  at: Instant,
  rules: ReceiverRules,
): Step<Guest> {
  const guest: Guest = {
    owner: rules.self,
    item: item.id,
    epoch,
    name: item.name,
    need: item.need,
    phase: 'running',
    command: item.command,
    leaseMs: rules.keepMs,
    urls: [],
    sha256: null,
    handle: process,
    stopping: null,
    stopReason: '',
    startedAt: at.ts,
    result: null,
    image: false,
    process,
    move: 0,
    refused: null,
    rank: 0,
    claimRenewal: rules.renewalBase,
    claimedAt: at.ms,
    leaseEndsAt: at.ms + rules.keepMs,
    renewal: rules.renewalBase,
    sent: [],
    probedAt: Number.NEGATIVE_INFINITY,
    reached: false,
    ordered: null,
    renewAt: at.ms,
    startedMs: at.ms,
    repeatAt: Number.POSITIVE_INFINITY,
    repeatMs: rules.repeatMs,
    endedMs: at.ms,
    wish: null,
    keepsFiles: false,
  };
  return { state: guest, effects: [persistGuest(guest), { type: 'AdoptExternal', guest: guestName(guest), process }] };
}
