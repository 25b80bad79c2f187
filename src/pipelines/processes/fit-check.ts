/**
 * Asks other members whether an image would fit there, and answers when they ask. An answer counts only from a member
 * that was asked and with the transaction of the check; a member that does not answer in time does not fit.
 */
import type { Subscription } from 'rxjs';
import type { Checkpoint } from '../../checkpoint/checkpoint.js';
import type { Clock } from '../../clock/clock.js';
import { chooseFit, trimFacts, type FitAnswer } from '../../core/placement/external-move.js';
import type { ImageFacts } from '../../protocol/image-facts.js';
import type { NodeInput } from '../inputs.js';
import { explain } from '../../protocol/reasons.js';
import { refuseRequest, respond, type Answer } from '../requests/respond.js';
import type { Publisher } from '../effects/publisher.js';

/** What the checks need. */
export interface FitCheckDeps {
  readonly self: string;
  readonly boot: number;
  readonly clock: Clock;
  readonly checkpoint: Checkpoint | undefined;
  readonly publisher: Pick<Publisher, 'request'>;
  /** The directory below which an image of this owner would be written. */
  guestDirectory(owner: string): string;
  accepts(owner: string): boolean;
  push(input: NodeInput): void;
}

/** Fit checks in progress, and the answers to those of others. */
export interface FitChecks {
  handle(input: NodeInput): void;
  /** Asks all candidates at once, best first; `chosen` is the best that fits. `done` is called once. */
  check(candidates: readonly string[], facts: ImageFacts, done: FitDone): void;
  close(): void;
}

type FitDone = (chosen: string | undefined, answers: readonly FitAnswer[]) => void;

interface PendingCheck {
  readonly candidates: readonly string[];
  readonly answers: Map<string, FitAnswer>;
  readonly done: FitDone;
  timer: Subscription | undefined;
}

const ANSWER_MS = 5000;
/** Checks for others that may be in progress at the same time. */
const CHECKS_MAX = 4;

/** Creates it, with no check in progress. */
export function createFitChecks(deps: FitCheckDeps): FitChecks {
  const { self, clock, checkpoint } = deps;
  const pending = new Map<string, PendingCheck>();
  let count = 0;
  let checksRunning = 0;

  function checkFit(candidates: readonly string[], facts: ImageFacts, done: FitDone): void {
    if (candidates.length === 0) return done(undefined, []);
    count += 1;
    const transaction = `fit-${self}-${deps.boot}-${count}`;
    const check: PendingCheck = { candidates, answers: new Map(), done, timer: undefined };
    pending.set(transaction, check);
    check.timer = clock.scheduler.schedule(() => expire(transaction, check), ANSWER_MS);
    for (const node of candidates) {
      const isSent =
        deps.publisher.request(node, 'fit', { transaction, facts }) ||
        deps.publisher.request(node, 'fit', { transaction, facts: trimFacts(facts) });
      if (!isSent)
        handleAnswer(transaction, { node, fits: false, reason: 'its list of open files does not fit into a message' });
    }
  }

  function handleAnswer(transaction: string, answer: FitAnswer): void {
    const check = pending.get(transaction);
    if (check === undefined || !check.candidates.includes(answer.node)) return;
    if (!check.answers.has(answer.node)) check.answers.set(answer.node, answer);
    const chosen = chooseFit(check.candidates, check.answers);
    if (chosen !== undefined) end(transaction, check, chosen);
  }

  function expire(transaction: string, check: PendingCheck): void {
    const { candidates, answers } = check;
    const reason = `it did not answer within ${ANSWER_MS / 1000} s`;
    for (const node of candidates) if (!answers.has(node)) answers.set(node, { node, fits: false, reason });
    end(transaction, check, chooseFit(candidates, answers) ?? 'nobody');
  }

  function end(transaction: string, { timer, done, answers }: PendingCheck, chosen: FitAnswer | 'nobody'): void {
    if (!pending.delete(transaction)) return;
    timer?.unsubscribe();
    done(chosen === 'nobody' ? undefined : chosen.node, [...answers.values()]);
  }

  function answer(owner: string, facts: ImageFacts, done: (answer: Answer) => void): void {
    if (checkpoint === undefined) return done({ error: 'this node cannot restore a process' });
    if (!deps.accepts(owner)) return done(refuseRequest(explain('owner-not-accepted', owner)));
    if (checksRunning >= CHECKS_MAX) return done({ error: 'it is busy with other fit checks' });
    checksRunning += 1;
    checkpoint.preflightRestore(facts, deps.guestDirectory(owner), (obstacles) => {
      checksRunning -= 1;
      done(obstacles.length === 0 ? { data: {} } : { error: obstacles.join('; ') });
    });
  }

  return {
    handle: (input) => {
      if (input.type === 'FitHeard') {
        const { status, error = '', transaction = '' } = input.response;
        return handleAnswer(transaction, { node: input.node, fits: status === 'ok', reason: error });
      }
      if (input.type !== 'RequestHeard' || input.request.verb !== 'fit' || input.signedBy === undefined) return;
      const { facts, transaction } = input.request;
      answer(input.signedBy, facts, (answered) => respond('fit', transaction, answered, 'request/fit', deps));
    },
    check: checkFit,
    close: () => {
      for (const { timer } of pending.values()) timer?.unsubscribe();
      pending.clear();
    },
  };
}
