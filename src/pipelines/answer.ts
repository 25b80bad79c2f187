/**
 * The answer stage: requests of people and scripts become facts, and each is answered with what became of it or with the
 * reason why not. An answer that promises something stands behind the journal write of what it promises.
 */
import type { Clock } from '../clock/clock.js';
import { rankReceivers } from '../core/election.js';
import type { MeshRules } from '../core/member.js';
import type { MeshView } from '../core/mesh.js';
import { findMoveObstacle } from '../core/owner/move.js';
import { askFor, isWaiting, type OwnedItem } from '../core/owner/owned-item.js';
import { isLive, type Guest } from '../core/receiver/guest.js';
import type { Request } from '../protocol/requests.js';
import { answerItem, answerItems } from './answer-items.js';
import { answerCancel, answerFetch, answerRetry } from './answer-steering.js';
import type { NodeInput } from './inputs.js';
import { splitGuest } from './perform-parts.js';
import type { Renaming } from './rename.js';
import { respond, type Answer } from './respond.js';
import type { TwinWatch } from './twin-watch.js';

/** What answering needs. */
export interface AnswerParts {
  readonly self: string;
  readonly view: MeshView;
  /** The rules of the mesh as they are now. */
  mesh(): MeshRules;
  readonly clock: Clock;
  readonly items: ReadonlyMap<string, OwnedItem>;
  readonly guests: ReadonlyMap<string, Guest>;
  /** Whether an item of this id was here and is forgotten, a short while ago. */
  wasRetired(item: string): boolean;
  push(input: NodeInput): void;
  /** Why nothing new can be promised: the journal's fault. */
  journalFault(): string | undefined;
  /** The guest that a process belongs to, as `<owner>/<item>/<epoch>`. */
  guestOfPid(pid: number): string | undefined;
  /** Answers a request for another id, and knows whether one is wanted. */
  readonly renaming: Pick<Renaming, 'answer' | 'wanted'>;
  /** Answers pings: one that looks for its twin is judged. */
  readonly twins: Pick<TwinWatch, 'answer'>;
  /** The heaviest guests first, as `<owner>/<item>/<epoch>`. */
  heaviestGuests(): readonly string[];
}

/** Answers one input, if it is a request. */
export function answerRequest(input: NodeInput, parts: AnswerParts): void {
  if (input.type === 'RequestRefused') {
    return respond(input.verb, input.transaction, { error: input.reason }, `request/${input.verb}`, parts);
  }
  if (input.type !== 'RequestHeard') return;
  const { request } = input;
  // The preflight answers these, and takes its time.
  if (request.verb === 'fit' || isForeign(request, parts)) return;
  // What is said many times a second is answered only where it is refused; cleaning and calling take their time.
  if (request.verb === 'read' || request.verb === 'clean' || request.verb === 'call') return;
  const answer = decide(request, input.signedBy, parts);
  const subject = subjectOf(request, answer);
  respond(request.verb, request.transaction, answer, subject, parts);
}

/** Whose writes the response waits for: those of the item it speaks of, or of the node's own settings. */
function subjectOf(request: Request, answer: Answer): string {
  if ('data' in answer && typeof answer.data['item'] === 'string') return `item/${answer.data['item']}`;
  return request.verb === 'drain' ? 'node' : `request/${request.verb}`;
}

/** Whether a request is to move a process that tritmesh did not start. */
export function isForeign(request: Request, parts: Pick<AnswerParts, 'guestOfPid'>): boolean {
  return request.verb === 'migrate' && request.pid !== undefined && parts.guestOfPid(request.pid) === undefined;
}

function decide(
  request: Exclude<Request, { verb: 'fit' | 'read' | 'clean' | 'call' }>,
  signedBy: string | undefined,
  parts: AnswerParts,
): Answer {
  switch (request.verb) {
    case 'ping':
      return parts.twins.answer(request, signedBy);
    case 'refresh':
      parts.push({ type: 'RefreshAsked' });
      return { data: {} };
    case 'drain':
      parts.push({ type: 'SetHeard', key: 'drain', value: request.value });
      return { data: { draining: request.value === 'ON' } };
    case 'cancel':
      return answerCancel(request.item, parts, (id) => whereIs(id, parts));
    case 'retry':
      return answerRetry(request.item, parts, (id) => whereIs(id, parts));
    case 'fetch':
      return answerFetch(request.item, parts, (id) => whereIs(id, parts));
    case 'item':
      return answerItem(request.item, parts, (id) => whereIs(id, parts));
    case 'items':
      return answerItems(request.after, parts);
    case 'run':
      return answerRun(request, signedBy, parts);
    case 'rename':
      return parts.renaming.answer(request, signedBy);
    case 'migrate':
      return answerMigrate(request, parts);
  }
}

function answerRun(
  request: Extract<Request, { verb: 'run' }>,
  signedBy: string | undefined,
  parts: AnswerParts,
): Answer {
  const { item } = request;
  const fault = parts.journalFault();
  if (fault !== undefined) return { error: `the journal cannot be written: ${fault}` };
  const { wanted } = parts.renaming;
  if (wanted !== undefined)
    return { error: `${parts.self} is being renamed to ${wanted}: submit it there when it is done` };
  if (signedBy !== parts.self && namesPaths(item)) {
    return {
      error: `item.inputs and item.destination are paths on this machine: only ${parts.self} itself may name them`,
    };
  }
  if (parts.items.has(item.item) || parts.wasRetired(item.item)) return { data: { item: item.item, known: true } };
  const submitted = { ...item, submitted_at: new Date(parts.clock.wall()).toISOString() };
  parts.push({ type: 'ItemSubmitted', item: submitted });
  return { data: { item: item.item, known: false } };
}

function namesPaths(item: { readonly inputs: readonly string[]; readonly destination?: string | undefined }): boolean {
  return item.inputs.length > 0 || item.destination !== undefined;
}

/** The sentence for an item that this node does not own. */
function whereIs(id: string, parts: AnswerParts): string {
  for (const guest of parts.guests.values()) {
    if (guest.item === id) return `item ${id} runs here but belongs to ${guest.owner}: ask ${guest.owner}`;
  }
  return `no such item here: ${id}`;
}

function answerMigrate(request: Extract<Request, { verb: 'migrate' }>, parts: AnswerParts): Answer {
  const choice = chooseSubject(request, parts);
  if ('error' in choice) return choice;
  if (choice.owner !== parts.self) return vacateGuest(choice, request.to, parts);
  const state = parts.items.get(choice.item);
  return state === undefined ? { error: whereIs(choice.item, parts) } : moveOwn(state, request.to, parts);
}

type Subject = { readonly owner: string; readonly item: string; readonly guest: string | undefined };

function chooseSubject(
  request: Extract<Request, { verb: 'migrate' }>,
  parts: AnswerParts,
): Subject | { readonly error: string } {
  const { self } = parts;
  if (request.item !== undefined) {
    const guest = [...parts.guests.entries()].find(([, one]) => one.item === request.item && isLive(one));
    if (parts.items.has(request.item)) return { owner: self, item: request.item, guest: guest?.[0] };
    return guest === undefined
      ? { error: whereIs(request.item, parts) }
      : { owner: guest[1].owner, item: request.item, guest: guest[0] };
  }
  if (request.pid !== undefined) {
    const guest = parts.guestOfPid(request.pid);
    if (guest === undefined) return { error: `process ${request.pid} belongs to no item` };
    return { ...splitGuest(guest), guest };
  }
  return chooseTop(parts);
}

/** The heaviest guest that may be moved, else the oldest item that has not started. */
function chooseTop(parts: AnswerParts): Subject | { readonly error: string } {
  const reasons: string[] = [];
  for (const guest of parts.heaviestGuests()) {
    const subject = { ...splitGuest(guest), guest };
    const reason = findObstacleTo(subject, parts);
    if (reason === undefined) return subject;
    reasons.push(`${subject.item}: ${reason}`);
  }
  for (const state of parts.items.values()) {
    if (isWaiting(state.phase) && findMoveObstacle(state) === undefined) {
      return { owner: parts.self, item: state.item.item, guest: undefined };
    }
  }
  return {
    error:
      reasons.length === 0
        ? 'nothing that tritmesh started runs or waits here'
        : `nothing can be moved: ${reasons.join('; ')}`,
  };
}

function findObstacleTo(subject: Subject, parts: AnswerParts): string | undefined {
  const state = parts.items.get(subject.item);
  if (subject.owner === parts.self && state !== undefined) return findMoveObstacle(state);
  const guest = subject.guest === undefined ? undefined : parts.guests.get(subject.guest);
  return (guest?.command?.migrate ?? 'never') !== 'never'
    ? undefined
    : 'it has started and was submitted with migrate: never';
}

function moveOwn(state: OwnedItem, to: string | undefined, parts: AnswerParts): Answer {
  const obstacle = findMoveObstacle(state);
  if (obstacle !== undefined) return { error: `item ${state.item.item} cannot be moved: ${obstacle}` };
  const from = state.receiver ?? parts.self;
  if (to === from) return { error: `item ${state.item.item} is at ${to} already` };
  const ask = askFor({ ...state, epoch: state.epoch + 1, target: to ?? null, avoid: [from] }, parts.self);
  const ranking = rankReceivers(parts.view, ask, parts.clock.now(), parts.mesh());
  const best = ranking.ranked[0];
  if (best === undefined) return { error: `no receiver for ${state.item.item}: ${listReasons(ranking.blocked)}` };
  const reason = to === undefined ? 'asked to move on request' : `asked to move to ${to} on request`;
  parts.push({ type: 'OwnerFact', item: state.item.item, fact: { type: 'MoveAsked', reason, to: to ?? null } });
  return { data: { item: state.item.item, from, receivers: ranking.ranked.slice(0, 3) } };
}

function listReasons(blocked: ReadonlyMap<string, string>): string {
  if (blocked.size === 0) return 'no member is known';
  return [...blocked].map(([node, reason]) => `${node}: ${reason}`).join('; ');
}

function vacateGuest(subject: Subject, to: string | undefined, parts: AnswerParts): Answer {
  if (to !== undefined)
    return {
      error: `item ${subject.item} belongs to ${subject.owner}: only its owner chooses where to; ask ${subject.owner}`,
    };
  const obstacle = findObstacleTo(subject, parts);
  if (obstacle !== undefined) return { error: `item ${subject.item} cannot be moved: ${obstacle}` };
  if (subject.guest === undefined) return { error: whereIs(subject.item, parts) };
  parts.push({
    type: 'GuestFact',
    guest: subject.guest,
    fact: { type: 'VacateWanted', reason: 'asked to move on request' },
  });
  return { data: { item: subject.item, from: parts.self, owner: subject.owner } };
}
