/**
 * Lets a world live its plan: first a phase with faults, in which the promises of safety must hold; then everything is healed,
 * and every item must settle and all views must agree within a bound.
 */
import { ALONE_LOOK_MS } from './alone-checks.js';
import { STARTS_ONCE, type Violation } from './checkers.js';
import { heal, schedule } from './faults.js';
import { scheduleWork } from './people.js';
import type { Plan } from './plan.js';
import { findEnded, findLostResult, findStrangeOutput, findStuck, findUnrest } from './rest.js';
import { createWorld, type Trace, type World } from './world.js';

/** What became of a world. */
export interface Fate {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Virtual ms. */
  readonly endedAt: number;
  readonly steps: number;
  readonly items: number;
  readonly executions: number;
  /** That struck. */
  readonly faults: number;
}

/** As long as faults strike; in the end the broker is there. */
function watchAlone(world: World): void {
  world.alone.look();
  if (world.timeline.now() < world.plan.safetyMs) world.timeline.after(ALONE_LOOK_MS, () => watchAlone(world));
}

/** After the healing everything must be settled within this time, virtual ms. */
const LIVENESS_MS = 300_000;
/** A world takes some thousands of steps; one that never waits would go on for ever in no time. */
const STEPS_MAX = 500_000;
/** Until everybody has connected once more after the healing, virtual ms. */
const REPLAY_MS = 40_000;
/** How often it is looked whether the world is at rest, virtual ms. */
const LOOK_MS = 1000;

/** Lives a plan to its end, or to the first promise that breaks. */
export function live(plan: Plan, trace?: Trace): Fate {
  const world = createWorld(plan, trace);
  const { timeline, checkers } = world;
  const broken = (): boolean => {
    if (timeline.steps > STEPS_MAX && checkers.violations.length === 0) {
      checkers.report('a mesh comes to rest', `${STEPS_MAX} steps were not enough`);
    }
    return checkers.violations.length > 0;
  };
  for (const fault of plan.faults) schedule(fault, world);
  scheduleWork(world);
  watchAlone(world);
  timeline.run(plan.safetyMs, broken);
  if (!broken()) {
    const stuck = findStuck(world);
    if (stuck !== undefined) checkers.report('what a dead receiver held is offered again', stuck);
  }
  if (!broken()) {
    heal(world);
    const limit = plan.safetyMs + LIVENESS_MS;
    timeline.run(plan.safetyMs + REPLAY_MS, broken);
    do timeline.run(timeline.now() + LOOK_MS, broken);
    while (!broken() && timeline.now() < limit && findUnrest(world) !== undefined);
  }
  if (!broken()) checkEnd();
  for (const violation of checkers.violations) world.say(`BROKEN ${violation.promise}: ${violation.detail}`);
  return {
    seed: plan.seed,
    violations: checkers.violations,
    endedAt: timeline.now(),
    steps: timeline.steps,
    items: world.accepted.size,
    executions: world.executions,
    faults: world.struck,
  };

  function checkEnd(): void {
    const unrest = findUnrest(world);
    if (unrest !== undefined) checkers.report('when faults stop, everything settles and all agree', unrest);
    const ended = findEnded(world);
    if (ended !== undefined) checkers.report(STARTS_ONCE, ended);
    const lost = findLostResult(world);
    if (lost !== undefined) checkers.report('a result that was said is not lost', lost);
    const strange = findStrangeOutput(world);
    if (strange !== undefined) checkers.report('what comes home is what a completed execution wrote', strange);
  }
}
