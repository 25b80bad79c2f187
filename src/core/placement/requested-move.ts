/**
 * Decides a request to move work: which item or guest it means, whether that may move, and where it could go. The
 * request comes from a person or a script, so each refusal is a complete sentence.
 */
import { explain, type Reason, type ReasonCode } from '../../protocol/reasons.js';
import type { Request } from '../../protocol/requests.js';
import type { MeshRules } from '../mesh/member.js';
import type { MemberTable } from '../mesh/member-table.js';
import { rankReceivers, type Ranking } from '../mesh/ranking.js';
import { findMoveObstacle } from '../owner/move.js';
import { isWaiting, placementFor, type OwnedItem } from '../owner/owned-item.js';
import { splitGuest } from '../receiver/guest-name.js';
import { isLive, type Guest } from '../receiver/guest.js';

/** What the decision depends on. */
export interface RequestedMoveContext {
  readonly self: string;
  readonly members: MemberTable;
  readonly mesh: MeshRules;
  /** Monotonic, ms. */
  readonly now: number;
  readonly items: ReadonlyMap<string, OwnedItem>;
  readonly guests: ReadonlyMap<string, Guest>;
  /** The guest that a process belongs to, as `<owner>/<item>/<epoch>`. */
  guestOfPid(pid: number): string | undefined;
  /** Guests as `<owner>/<item>/<epoch>`, heaviest first. */
  heaviestGuests(): readonly string[];
}

/** A refusal, an own item for one of `receivers` (best first), or a guest whose owner decides where it goes. */
export type RequestedMove =
  | { readonly error: string; readonly code?: ReasonCode }
  | {
      readonly type: 'own';
      readonly item: string;
      readonly from: string;
      readonly to: string | null;
      readonly receivers: readonly string[];
      readonly reason: string;
    }
  | { readonly type: 'guest'; readonly item: string; readonly guest: string; readonly owner: string };

type Refusal = { readonly error: string; readonly code?: ReasonCode };
type Subject = { readonly owner: string; readonly item: string; readonly guest: string | undefined };
type MigrateRequest = Pick<Extract<Request, { verb: 'migrate' }>, 'item' | 'pid' | 'to'>;

/** Most receivers that an answer names. */
const RECEIVERS_NAMED = 3;

/** Decides a request to move an item, the guest that a process belongs to, or the heaviest guest. */
export function decideRequestedMove(request: MigrateRequest, context: RequestedMoveContext): RequestedMove {
  const subject = chooseSubject(request, context);
  if ('error' in subject) return subject;
  if (subject.owner !== context.self) return decideGuest(subject, request.to, context);
  const state = context.items.get(subject.item);
  return state === undefined ? refuse(describeAbsent(subject.item, context)) : decideOwn(state, request.to, context);
}

/** Why this node has no such item: it is unknown, or another node owns it. */
export function describeAbsent(id: string, { guests }: Pick<RequestedMoveContext, 'guests'>): Reason {
  for (const guest of guests.values()) {
    if (guest.item === id) return explain('item-of-another', id, guest.owner);
  }
  return explain('no-such-item', id);
}

function chooseSubject(request: MigrateRequest, context: RequestedMoveContext): Subject | Refusal {
  if (request.item !== undefined) return chooseItem(request.item, context);
  if (request.pid === undefined) return chooseTop(context);
  const guest = context.guestOfPid(request.pid);
  return guest === undefined
    ? { error: `process ${request.pid} does not belong to an item` }
    : { ...splitGuest(guest), guest };
}

function refuse({ code, text }: Reason): Refusal {
  return { error: text, code };
}

function chooseItem(item: string, context: RequestedMoveContext): Subject | Refusal {
  const found = [...context.guests].find(([, one]) => one.item === item && isLive(one));
  if (context.items.has(item)) return { owner: context.self, item, guest: found?.[0] };
  if (found === undefined) return refuse(describeAbsent(item, context));
  return { owner: found[1].owner, item, guest: found[0] };
}

/** The heaviest guest that may be moved, else the oldest item that has not started yet. */
function chooseTop(context: RequestedMoveContext): Subject | Refusal {
  const reasons: string[] = [];
  for (const guest of context.heaviestGuests()) {
    const subject = { ...splitGuest(guest), guest };
    const reason = findObstacleTo(subject, context);
    if (reason === undefined) return subject;
    reasons.push(`${subject.item}: ${reason.text}`);
  }
  for (const state of context.items.values()) {
    if (isWaiting(state.phase) && findMoveObstacle(state) === undefined) {
      return { owner: context.self, item: state.spec.id, guest: undefined };
    }
  }
  return {
    error:
      reasons.length === 0
        ? 'nothing that tritmesh started runs or waits here'
        : `nothing can be moved: ${reasons.join('; ')}`,
  };
}

function findObstacleTo(subject: Subject, context: RequestedMoveContext): Reason | undefined {
  const state = context.items.get(subject.item);
  if (subject.owner === context.self && state !== undefined) return findMoveObstacle(state);
  const guest = subject.guest === undefined ? undefined : context.guests.get(subject.guest);
  return (guest?.command?.migrate ?? 'never') !== 'never' ? undefined : explain('never-moves');
}

function decideOwn(state: OwnedItem, to: string | undefined, context: RequestedMoveContext): RequestedMove {
  const { id: item } = state.spec;
  const obstacle = findMoveObstacle(state);
  if (obstacle !== undefined) return { error: `item ${item} cannot be moved: ${obstacle.text}`, code: obstacle.code };
  const from = state.receiver ?? context.self;
  if (to === from) return { error: `item ${item} is at ${to} already` };
  const next = { ...state, epoch: state.epoch + 1, target: to ?? null, avoid: [from] };
  const { ranked, blocked } = rankReceivers(
    context.members,
    placementFor(next, context.self),
    context.now,
    context.mesh,
  );
  if (ranked.length === 0) return { error: `no receiver for ${item}: ${listReasons(blocked)}`, code: 'no-receiver' };
  const reason = to === undefined ? 'asked to move on request' : `asked to move to ${to} on request`;
  return { type: 'own', item, from, to: to ?? null, receivers: ranked.slice(0, RECEIVERS_NAMED), reason };
}

function listReasons(blocked: Ranking['blocked']): string {
  if (blocked.size === 0) return 'no member is known';
  return [...blocked].map(([node, { text }]) => `${node}: ${text}`).join('; ');
}

function decideGuest(subject: Subject, to: string | undefined, context: RequestedMoveContext): RequestedMove {
  const { item, owner, guest } = subject;
  if (to !== undefined)
    return { error: `item ${item} belongs to ${owner}: only its owner chooses where to; ask ${owner}` };
  const obstacle = findObstacleTo(subject, context);
  if (obstacle !== undefined) return { error: `item ${item} cannot be moved: ${obstacle.text}`, code: obstacle.code };
  return guest === undefined ? refuse(describeAbsent(item, context)) : { type: 'guest', item, guest, owner };
}
