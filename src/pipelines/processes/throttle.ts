/**
 * The throttle stage: with each sample and each process list it chooses what to throttle and what to release, and
 * passes inputs to the state machine of each throttle. It also explains, for each process, what the node does about it
 * and why.
 */
import type { Effect } from '../../core/effects.js';
import { decideAction, scoreProcess, type ScumExplanation, type ScumReasons } from '../../core/processes/scum.js';
import { isActive } from '../../core/processes/scum-policy.js';
import { planThrottles, isCrowded, runTarget, type ListedProcess } from '../../core/processes/throttle-plan.js';
import { isHeldBack, type ThrottleState, type ThrottleEntry } from '../../core/processes/throttle-state.js';
import { askThrottle, resumeThrottle, stepThrottle, type ThrottleInput } from '../../core/processes/throttle-step.js';
import type { NodeInput } from '../inputs.js';
import { createStateMachines } from '../state-machines.js';
import { createMoveRequests, type MoveRequestsDeps } from './request-moves.js';
import { createProcessAssessment, type ProcessAssessmentDeps } from './assess-processes.js';

/** What throttling needs. */
export interface ThrottlingDeps extends ProcessAssessmentDeps, MoveRequestsDeps {
  perform(target: string, effects: readonly Effect[]): void;
  /** Calls back once everything decided for a target so far has been performed. */
  after(target: string, done: () => void): void;
}

/** The throttles of a node. */
export interface Throttling extends ScumReasons<ListedProcess> {
  handle(input: NodeInput): void;
  /**
   * Lifts the throttle of a target if it has one; `done` is called when it is undone. Used before a target is frozen or
   * moved.
   */
  lift(target: string, reason: string, done: () => void): void;
  /** Lifts all throttles, and calls back when they are undone and the journal has it. */
  release(reason: string, done: () => void): void;
  /** Takes over the throttles that an earlier boot of the node left. */
  resume(records: readonly ThrottleEntry[]): void;
  close(): void;
}

/** Creates the stage. */
export function createThrottling(deps: ThrottlingDeps): Throttling {
  const { self, clock, policies, formula } = deps;
  const assessment = createProcessAssessment(deps);
  const requestMoves = createMoveRequests(deps, assessment);
  let crowdedSince: number | undefined;
  /** Guests that were asked to leave since the machine became crowded. */
  const sentAway = new Set<string>();

  const machines = createStateMachines<ThrottleState, ThrottleInput>({
    states: new Map(),
    clock,
    step: (state, input, at) => stepThrottle(state, input, at, self),
    // A throttle has no timers: samples come often enough.
    nextTimerAt: () => undefined,
    timePassed: { type: 'LiftWanted', reason: 'time passed' },
    perform: deps.perform,
    changed: () => undefined,
  });

  function handle(input: NodeInput): void {
    switch (input.type) {
      case 'LoadClassified':
        assessment.handleLoad(input.sample, input.trit);
        return replan();
      case 'ProcessesListed':
        // An empty list means that there was nothing to compare with yet.
        if (input.processes.length > 0) assessment.handleProcesses(input.processes);
        replan();
        return requestMoves();
      case 'GuestInput':
        // The guest may be stopping, or have ended.
        if (machines.states.has(runTarget(input.guest))) replan();
        return;
      case 'ThrottleLiftWanted':
        return lift(runTarget(input.guest), input.reason, input.done);
      case 'ThrottleInput':
        machines.feed(input.target, input.input);
        return;
      default:
    }
  }

  function replan(): void {
    assessment.refreshRuns();
    const context = assessment.context(machines.states);
    const { wishes, endings, resting } = planThrottles(context);
    for (const [target, reason] of endings) machines.feed(target, { type: 'LiftWanted', reason });
    for (const [target, reason] of resting) machines.feed(target, { type: 'TargetRested', reason });
    for (const wish of wishes) {
      if (machines.states.has(wish.target)) machines.feed(wish.target, { type: 'ThrottleWanted', wish });
      // Without a throttle method there is nothing to prepare.
      else if (deps.obstacle === undefined) machines.open(wish.target, askThrottle(wish));
    }
    vacateWhen(isCrowded(context));
  }

  /** Sends guests of others away when the machine's own load stays PLUS although they are throttled. */
  function vacateWhen(isCrowded: boolean): void {
    if (!isCrowded) {
      crowdedSince = undefined;
      sentAway.clear();
      return;
    }
    crowdedSince ??= clock.now();
    if (!isActive(policies.migrate) || clock.now() - crowdedSince < policies.vacateAfterMs) return;
    const reason = `the machine's own load has been PLUS for ${Math.round(policies.vacateAfterMs / 1000)} s`;
    for (const { guest, owner, running } of assessment.runs) {
      if (owner === self || !running || sentAway.has(guest)) continue;
      sentAway.add(guest);
      deps.push({ type: 'GuestInput', guest, input: { type: 'VacateWanted', reason } });
    }
  }

  function findHeld(pid: number): ThrottleState | undefined {
    const run = assessment.runOf(pid);
    return machines.states.get(run === undefined ? `pid/${pid}` : runTarget(run.guest));
  }

  function isThrottled(pid: number): boolean {
    const held = findHeld(pid);
    return held !== undefined && isHeldBack(held) && held.record?.processes.some((one) => one.pid === pid) === true;
  }

  function explain(process: ListedProcess): ScumExplanation {
    const held = findHeld(process.pid);
    if (held !== undefined && isThrottled(process.pid)) return explainHeld(held);
    const action = decideAction(scoreProcess(process, formula), assessment.trit ?? 0);
    const verdict = assessment.judge(process, action);
    if (held?.phase !== 'failed') return { action, ...verdict, throttle: undefined };
    return { action, acts: false, why: `${verdict.why}, but ${held.reason}`, throttle: undefined };
  }

  function explainHeld({ wish, record, phase, stuck, reason }: ThrottleState): ScumExplanation {
    const trouble = phase === 'lifting' ? `; it is to be released: ${reason}${stuck ? ', which failed' : ''}` : '';
    const throttle = { sharePercent: wish.sharePercent, method: record?.method ?? '' };
    return { action: 'throttle', acts: true, why: `${wish.reason}${trouble}`, throttle };
  }

  function lift(target: string, reason: string, done: () => void): void {
    machines.feed(target, { type: 'LiftWanted', reason });
    deps.after(target, done);
  }

  function release(reason: string, done: () => void): void {
    const targets = [...machines.states.keys()];
    let left = targets.length;
    if (left === 0) return done();
    const countDown = (): void => {
      left -= 1;
      if (left === 0) done();
    };
    // The first callback comes after the undoing, the second after the write that it causes.
    for (const target of targets) lift(target, reason, () => deps.after(target, countDown));
  }

  return {
    handle,
    explain,
    isThrottled,
    lift,
    release,
    resume: (records) => {
      for (const record of records) machines.open(record.wish.target, resumeThrottle(record));
      replan();
    },
    close: () => machines.close(),
  };
}
