/**
 * Runs a plan in a simulated world, in two phases. While faults strike, the safety promises must hold. Then everything
 * is healed, and within a bound every item must settle and all nodes must agree on the sum.
 */
import { ALONE_CHECK_MS } from './checks/alone-checks.js';
import { STARTS_ONCE, type Violation } from './checks/invariants.js';
import { heal, scheduleFault } from './faults/faults.js';
import { scheduleUserActions } from './faults/user-actions.js';
import type { Plan } from './plan/plan.js';
import { findCutShort, findLostResult, findWrongOutput, findStuck, whyNotQuiescent } from './checks/quiescence.js';
import { createWorld, type Trace, type World } from './world.js';

/** How a run ended, and how much happened in it. */
export interface RunResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Virtual ms. */
  readonly endedAt: number;
  readonly steps: number;
  readonly items: number;
  readonly executions: number;
  /** Faults injected. */
  readonly faults: number;
}

/** Checks nodes without a broker until the faults end: afterwards the broker is always up. */
function watchAloneChecks(world: World): void {
  world.aloneChecks.check();
  if (world.timeline.now() < world.plan.safetyMs) world.timeline.after(ALONE_CHECK_MS, () => watchAloneChecks(world));
}

/** Everything must be settled within this time after the healing, virtual ms. */
const LIVENESS_MS = 300_000;
/** A normal run takes some thousands of steps. A bug that schedules without delay would never end. */
const STEPS_MAX = 500_000;
/** All nodes have reconnected within this time after the healing, virtual ms. */
const RECONNECTED_MS = 40_000;
/** Interval between two checks for quiescence, virtual ms. */
const CHECK_EVERY_MS = 1000;

/** Runs a plan to its end, or to the first broken promise. The same plan always gives the same run. */
export function runPlan(plan: Plan, trace?: Trace): RunResult {
  const world = createWorld(plan, trace);
  const { timeline, invariants } = world;
  const isBroken = (): boolean => {
    if (timeline.steps > STEPS_MAX && invariants.violations.length === 0) {
      invariants.report('a mesh becomes quiescent', `${STEPS_MAX} steps were not enough`);
    }
    return invariants.violations.length > 0;
  };
  for (const fault of plan.faults) scheduleFault(fault, world);
  scheduleUserActions(world);
  watchAloneChecks(world);
  timeline.run(plan.safetyMs, isBroken);
  if (!isBroken()) {
    const stuck = findStuck(world);
    if (stuck !== undefined) invariants.report('what a dead receiver held is offered again', stuck);
  }
  if (!isBroken()) {
    heal(world);
    const limit = plan.safetyMs + LIVENESS_MS;
    timeline.run(plan.safetyMs + RECONNECTED_MS, isBroken);
    do timeline.run(timeline.now() + CHECK_EVERY_MS, isBroken);
    while (!isBroken() && timeline.now() < limit && whyNotQuiescent(world) !== undefined);
  }
  if (!isBroken()) checkEnd();
  for (const violation of invariants.violations) world.log(`BROKEN ${violation.promise}: ${violation.detail}`);
  return {
    seed: plan.seed,
    violations: invariants.violations,
    endedAt: timeline.now(),
    steps: timeline.steps,
    items: world.accepted.size,
    executions: world.executions,
    faults: world.faultCount,
  };

  function checkEnd(): void {
    const unrest = whyNotQuiescent(world);
    if (unrest !== undefined) invariants.report('when faults stop, everything settles and all agree', unrest);
    const ended = findCutShort(world);
    if (ended !== undefined) invariants.report(STARTS_ONCE, ended);
    const lost = findLostResult(world);
    if (lost !== undefined) invariants.report('a published result is not lost', lost);
    const strange = findWrongOutput(world);
    if (strange !== undefined) invariants.report('what comes home is what a completed execution wrote', strange);
  }
}
