/**
 * The throttle stage: with each sample and each list of processes it chooses what is to be held back and what is let go, and
 * hands facts to the state machine of each throttle. It also says of each process what the node does about it, and why.
 */
import type { Effect } from '../core/effects.js';
import { decideAction, scoreProcess, type ScumExplanation, type ScumReasons } from '../core/scum.js';
import { isActive } from '../core/scum-policy.js';
import { chooseThrottles, isCrowded, runTarget, type ListedProcess } from '../core/throttle-choice.js';
import { isHeldBack, type Throttled, type ThrottledRecord } from '../core/throttled.js';
import { askThrottle, resumeThrottle, stepThrottling, type ThrottlingInput } from '../core/throttling.js';
import type { NodeInput } from './inputs.js';
import { createLedger } from './ledger.js';
import { createMoveAsks, type MoveAskParts } from './move-processes.js';
import { createScumGround, type ScumGroundParts } from './scum-ground.js';

/** What throttling needs of the node. */
export interface ThrottlingParts extends ScumGroundParts, MoveAskParts {
  perform(target: string, effects: readonly Effect[]): void;
  /** Calls back once everything that was decided for a target so far is done. */
  after(target: string, done: () => void): void;
}

/** The throttles of a node. */
export interface Throttling extends ScumReasons<ListedProcess> {
  take(input: NodeInput): void;
  /** Lifts the throttle of a target if it has one; `done` comes when it is undone. For whoever freezes or moves it. */
  lift(target: string, reason: string, done: () => void): void;
  /** Lifts all, and calls back when all is undone and the journal knows. */
  release(reason: string, done: () => void): void;
  /** Takes up what an earlier life of the node left. */
  resume(records: readonly ThrottledRecord[]): void;
  close(): void;
}

/** Makes the stage. */
export function createThrottling(parts: ThrottlingParts): Throttling {
  const { self, clock, policies, formula } = parts;
  const ground = createScumGround(parts);
  const askMoves = createMoveAsks(parts, ground);
  let crowdedSince: number | undefined;
  /** Guests that were asked to leave since it got crowded. */
  const sentAway = new Set<string>();

  const ledger = createLedger<Throttled, ThrottlingInput>({
    clock,
    step: (state, input, at) => stepThrottling(state, input, at, self),
    // Nothing of a throttle is due at a time of its own: the looks come often enough.
    wakeTime: () => undefined,
    timePassed: { type: 'LiftWanted', reason: 'time passed' },
    perform: parts.perform,
    changed: () => undefined,
  });

  function take(input: NodeInput): void {
    switch (input.type) {
      case 'LoadClassified':
        ground.takeLoad(input.sample, input.trit);
        return look();
      case 'ProcessesListed':
        // A look that has nothing to compare with says nothing.
        if (input.processes.length > 0) ground.takeProcesses(input.processes);
        look();
        return askMoves();
      case 'GuestFact':
        // It may be stopping, or have ended.
        if (ledger.states.has(runTarget(input.guest))) look();
        return;
      case 'ThrottleFact':
        ledger.feed(input.target, input.fact);
        return;
      default:
    }
  }

  function look(): void {
    ground.refreshRuns();
    const facts = ground.facts(ledger.states);
    const { wishes, endings, resting } = chooseThrottles(facts);
    for (const [target, reason] of endings) ledger.feed(target, { type: 'LiftWanted', reason });
    for (const [target, reason] of resting) ledger.feed(target, { type: 'TargetRested', reason });
    for (const wish of wishes) {
      if (ledger.states.has(wish.target)) ledger.feed(wish.target, { type: 'ThrottleWanted', wish });
      // Without anything that throttles there is nothing to ask.
      else if (parts.obstacle === undefined) ledger.open(wish.target, askThrottle(wish));
    }
    vacateWhen(isCrowded(facts));
  }

  /** Guests of others are sent away when the machine's own load stays PLUS although they are held back. */
  function vacateWhen(isCrowded: boolean): void {
    if (!isCrowded) {
      crowdedSince = undefined;
      sentAway.clear();
      return;
    }
    crowdedSince ??= clock.now();
    if (!isActive(policies.migrate) || clock.now() - crowdedSince < policies.vacateAfterMs) return;
    const reason = `the machine's own load has been PLUS for ${Math.round(policies.vacateAfterMs / 1000)} s`;
    for (const { guest, owner, running } of ground.runs) {
      if (owner === self || !running || sentAway.has(guest)) continue;
      sentAway.add(guest);
      parts.push({ type: 'GuestFact', guest, fact: { type: 'VacateWanted', reason } });
    }
  }

  function findHeld(pid: number): Throttled | undefined {
    const run = ground.runOf(pid);
    return ledger.states.get(run === undefined ? `pid/${pid}` : runTarget(run.guest));
  }

  function isThrottled(pid: number): boolean {
    const held = findHeld(pid);
    return held !== undefined && isHeldBack(held) && held.record?.processes.some((one) => one.pid === pid) === true;
  }

  function explain(process: ListedProcess): ScumExplanation {
    const held = findHeld(process.pid);
    if (held !== undefined && isThrottled(process.pid)) return explainHeld(held);
    const action = decideAction(scoreProcess(process, formula), ground.trit ?? 0);
    const verdict = ground.judge(process, action);
    if (held?.phase !== 'failed') return { action, ...verdict, throttle: undefined };
    return { action, acts: false, why: `${verdict.why}, but ${held.reason}`, throttle: undefined };
  }

  function explainHeld({ wish, record, phase, stuck, reason }: Throttled): ScumExplanation {
    const trouble = phase === 'lifting' ? `; it is to be let go: ${reason}${stuck ? ', which failed' : ''}` : '';
    const throttle = { sharePercent: wish.sharePercent, method: record?.method ?? '' };
    return { action: 'throttle', acts: true, why: `${wish.reason}${trouble}`, throttle };
  }

  function lift(target: string, reason: string, done: () => void): void {
    ledger.feed(target, { type: 'LiftWanted', reason });
    parts.after(target, done);
  }

  function release(reason: string, done: () => void): void {
    const targets = [...ledger.states.keys()];
    let left = targets.length;
    if (left === 0) return done();
    const settle = (): void => {
      left -= 1;
      if (left === 0) done();
    };
    // Once around for the undoing, once more for the write that it causes.
    for (const target of targets) lift(target, reason, () => parts.after(target, settle));
  }

  return {
    take,
    explain,
    isThrottled,
    lift,
    release,
    resume: (records) => {
      for (const record of records) ledger.open(record.wish.target, resumeThrottle(record));
      look();
    },
    close: () => ledger.close(),
  };
}
