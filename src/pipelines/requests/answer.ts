/**
 * The answer stage: turns requests of people and scripts into inputs, and answers each with the outcome or the reason
 * of its refusal. An answer that promises something waits for the journal write of what it promises.
 */
import type { Clock } from '../../clock/clock.js';
import type { MeshRules } from '../../core/mesh/member.js';
import type { MemberTable } from '../../core/mesh/member-table.js';
import type { OwnedItem } from '../../core/owner/owned-item.js';
import { findSubmitObstacle } from '../../core/owner/submission.js';
import { decideRequestedMove, describeAbsent } from '../../core/placement/requested-move.js';
import type { Guest } from '../../core/receiver/guest.js';
import type { AcceptanceContext } from '../../core/receiver/policy.js';
import type { Item } from '../../protocol/item.js';
import type { Reason } from '../../protocol/reasons.js';
import type { Request } from '../../protocol/requests.js';
import { answerItem, answerItems } from './answer-items.js';
import { answerCancel, answerFetch, answerRetry } from './answer-steering.js';
import type { NodeInput } from '../inputs.js';
import type { Rename } from '../identity/rename.js';
import { refuseRequest, respond, type Answer } from './respond.js';
import type { TwinWatch } from '../identity/twin-watch.js';

/** What answering needs. */
export interface AnswerDeps {
  readonly self: string;
  readonly members: MemberTable;
  /** The current rules of the mesh. */
  mesh(): MeshRules;
  readonly clock: Clock;
  readonly items: ReadonlyMap<string, OwnedItem>;
  readonly guests: ReadonlyMap<string, Guest>;
  /** Whether an item of this id was here recently and has been forgotten. */
  wasRetired(item: string): boolean;
  push(input: NodeInput): void;
  /** Whose work this node accepts, and why it can promise nothing new. */
  acceptance(): AcceptanceContext;
  /** The guest that a process belongs to, as `<owner>/<item>/<epoch>`. */
  guestOfPid(pid: number): string | undefined;
  /** Answers rename requests, and knows whether one is in progress. */
  readonly renaming: Pick<Rename, 'answer' | 'wanted'>;
  /** Answers pings: a twin that pings is judged. */
  readonly twins: Pick<TwinWatch, 'answer'>;
  /** Guests as `<owner>/<item>/<epoch>`, heaviest first. */
  heaviestGuests(): readonly string[];
}

/** Answers an input if it is a request. */
export function answerRequest(input: NodeInput, deps: AnswerDeps): void {
  if (input.type === 'RequestRefused') {
    const { verb, transaction, reason, code } = input;
    return respond(verb, transaction, { error: reason, code }, `request/${verb}`, deps);
  }
  if (input.type === 'SubmissionHeard') return answerSubmission(input, deps);
  if (input.type !== 'RequestHeard') return;
  const { request } = input;
  // The external-move stage answers these later.
  if (request.verb === 'fit' || isExternalMove(request, deps)) return;
  // Reads come many times a second and are answered only when refused; cleaning and calling answer later.
  if (request.verb === 'read' || request.verb === 'clean' || request.verb === 'call') return;
  const answer = decide(request, input.signedBy, deps);
  const subject = subjectOf(request, answer);
  respond(request.verb, request.transaction, answer, subject, deps);
}

/** Whose writes the response waits for: those of the item it is about, or of the node's own settings. */
function subjectOf(request: Request, answer: Answer): string {
  if ('data' in answer && typeof answer.data['item'] === 'string') return `item/${answer.data['item']}`;
  return request.verb === 'drain' ? 'node' : `request/${request.verb}`;
}

/** Whether a request is to move an external process. */
export function isExternalMove(request: Request, deps: Pick<AnswerDeps, 'guestOfPid'>): boolean {
  return request.verb === 'migrate' && request.pid !== undefined && deps.guestOfPid(request.pid) === undefined;
}

function decide(
  request: Exclude<Request, { verb: 'fit' | 'read' | 'clean' | 'call' }>,
  signedBy: string | undefined,
  deps: AnswerDeps,
): Answer {
  switch (request.verb) {
    case 'ping':
      return deps.twins.answer(request, signedBy);
    case 'refresh':
      deps.push({ type: 'RefreshAsked' });
      return { data: {} };
    case 'drain':
      deps.push({ type: 'SetHeard', key: 'drain', value: request.value });
      return { data: { draining: request.value === 'ON' } };
    case 'cancel':
      return answerCancel(request.item, deps, (id) => describeAbsent(id, deps));
    case 'retry':
      return answerRetry(request.item, deps, (id) => describeAbsent(id, deps));
    case 'fetch':
      return answerFetch(request.item, deps, (id) => describeAbsent(id, deps));
    case 'item':
      return answerItem(request.item, deps, (id) => describeAbsent(id, deps));
    case 'items':
      return answerItems(request.after, deps);
    case 'run':
      return answerRun(request, signedBy, deps);
    case 'rename':
      return deps.renaming.answer(request, signedBy);
    case 'migrate':
      return answerMigrate(request, deps);
  }
}

function answerRun(
  { item }: Extract<Request, { verb: 'run' }>,
  signedBy: string | undefined,
  deps: AnswerDeps,
): Answer {
  const taken = takeItem(item, signedBy, deps);
  return 'refusal' in taken ? refuseRequest(taken.refusal) : { data: { item: item.id, known: taken.known } };
}

/** A program that may open the local socket acts for this node, as one does that signs with its key. */
function answerSubmission({ item, done }: Extract<NodeInput, { type: 'SubmissionHeard' }>, deps: AnswerDeps): void {
  const taken = takeItem(item, deps.self, deps);
  if ('refusal' in taken) return done(taken.refusal.text);
  deps.push({ type: 'AfterAsked', subject: `item/${item.id}`, done: () => done() });
}

/** Takes an item, or says why not. */
function takeItem(
  item: Item,
  signedBy: string | undefined,
  deps: AnswerDeps,
): { readonly known: boolean } | { readonly refusal: Reason } {
  // First: a repeated submission of what was taken is answered alike, whatever is accepted by now.
  if (deps.items.has(item.id) || deps.wasRetired(item.id)) return { known: true };
  const refusal = findSubmitObstacle(item, signedBy, { ...deps.acceptance(), renamedTo: deps.renaming.wanted });
  if (refusal !== undefined) return { refusal };
  const submitted = { ...item, submitted_at: new Date(deps.clock.wall()).toISOString() };
  deps.push({ type: 'ItemSubmitted', item: submitted });
  return { known: false };
}

function answerMigrate(request: Extract<Request, { verb: 'migrate' }>, deps: AnswerDeps): Answer {
  const move = decideRequestedMove(request, { ...deps, mesh: deps.mesh(), now: deps.clock.now() });
  if ('error' in move) return move;
  if (move.type === 'own') {
    const { item, reason, to, from, receivers } = move;
    deps.push({ type: 'ItemInput', item, input: { type: 'MoveAsked', reason, to } });
    return { data: { item, from, receivers } };
  }
  const { item, guest, owner } = move;
  deps.push({ type: 'GuestInput', guest, input: { type: 'VacateWanted', reason: 'asked to move on request' } });
  return { data: { item, from: deps.self, owner } };
}
