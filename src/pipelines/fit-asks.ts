/**
 * Asks other members whether an image would fit there, and answers when they ask. An answer counts only from the member that was
 * asked and with the transaction of the question; who is silent too long does not fit.
 */
import type { Subscription } from 'rxjs';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { Clock } from '../clock/clock.js';
import { chooseFit, trimFacts, type FitAnswer } from '../core/preflight.js';
import type { ImageFacts } from '../protocol/image-facts.js';
import type { NodeInput } from './inputs.js';
import { respond, type Answer } from './respond.js';
import type { Speaker } from './say.js';

/** What it needs of the node. */
export interface FitParts {
  readonly self: string;
  readonly boot: number;
  readonly clock: Clock;
  readonly checkpoint: Checkpoint | undefined;
  readonly speaker: Pick<Speaker, 'ask'>;
  /** Directory that an image of this member would be written below. */
  guestDirectory(owner: string): string;
  accepts(owner: string): boolean;
  push(input: NodeInput): void;
}

/** Questions under way, and the answers to those of others. */
export interface FitAsks {
  take(input: NodeInput): void;
  /** Asks all at once, best first; `chosen` is the best that fits. `done` comes once. */
  ask(candidates: readonly string[], facts: ImageFacts, done: FitDone): void;
  close(): void;
}

type FitDone = (chosen: string | undefined, answers: readonly FitAnswer[]) => void;

interface Question {
  readonly candidates: readonly string[];
  readonly answers: Map<string, FitAnswer>;
  readonly done: FitDone;
  timer: Subscription | undefined;
}

const ANSWER_MS = 5000;
/** Questions of others that are looked into at the same time. */
const REVIEWS_MAX = 4;

/** Makes it. */
export function createFitAsks(parts: FitParts): FitAsks {
  const { self, clock, checkpoint } = parts;
  const questions = new Map<string, Question>();
  let count = 0;
  let reviews = 0;

  function ask(candidates: readonly string[], facts: ImageFacts, done: FitDone): void {
    if (candidates.length === 0) return done(undefined, []);
    count += 1;
    const transaction = `fit-${self}-${parts.boot}-${count}`;
    const question: Question = { candidates, answers: new Map(), done, timer: undefined };
    questions.set(transaction, question);
    question.timer = clock.scheduler.schedule(() => giveUp(transaction, question), ANSWER_MS);
    for (const node of candidates) {
      const said =
        parts.speaker.ask(node, 'fit', { transaction, facts }) ||
        parts.speaker.ask(node, 'fit', { transaction, facts: trimFacts(facts) });
      if (!said) hear(transaction, { node, fits: false, reason: 'what it has open does not fit into a message' });
    }
  }

  function hear(transaction: string, answer: FitAnswer): void {
    const question = questions.get(transaction);
    if (question === undefined || !question.candidates.includes(answer.node)) return;
    if (!question.answers.has(answer.node)) question.answers.set(answer.node, answer);
    const chosen = chooseFit(question.candidates, question.answers);
    if (chosen !== undefined) end(transaction, question, chosen);
  }

  function giveUp(transaction: string, question: Question): void {
    const { candidates, answers } = question;
    const reason = `it did not answer within ${ANSWER_MS / 1000} s`;
    for (const node of candidates) if (!answers.has(node)) answers.set(node, { node, fits: false, reason });
    end(transaction, question, chooseFit(candidates, answers) ?? 'nobody');
  }

  function end(transaction: string, { timer, done, answers }: Question, chosen: FitAnswer | 'nobody'): void {
    if (!questions.delete(transaction)) return;
    timer?.unsubscribe();
    done(chosen === 'nobody' ? undefined : chosen.node, [...answers.values()]);
  }

  function answer(owner: string, facts: ImageFacts, done: (answer: Answer) => void): void {
    if (checkpoint === undefined) return done({ error: 'nothing here can restore a process' });
    if (!parts.accepts(owner)) return done({ error: `it accepts no work of ${owner}` });
    if (reviews >= REVIEWS_MAX) return done({ error: 'it is asked by too many at once' });
    reviews += 1;
    checkpoint.review(facts, parts.guestDirectory(owner), (obstacles) => {
      reviews -= 1;
      done(obstacles.length === 0 ? { data: {} } : { error: obstacles.join('; ') });
    });
  }

  return {
    take: (input) => {
      if (input.type === 'FitHeard') {
        const { status, error = '', transaction = '' } = input.response;
        return hear(transaction, { node: input.node, fits: status === 'ok', reason: error });
      }
      if (input.type !== 'RequestHeard' || input.request.verb !== 'fit' || input.signedBy === undefined) return;
      const { facts, transaction } = input.request;
      answer(input.signedBy, facts, (said) => respond('fit', transaction, said, 'request/fit', parts));
    },
    ask,
    close: () => {
      for (const { timer } of questions.values()) timer?.unsubscribe();
      questions.clear();
    },
  };
}
