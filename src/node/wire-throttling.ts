/** Wires the throttling of a node: which runs there are, and what prevents moving or throttling them. */
import { findMoveObstacle } from '../core/owner/move.js';
import type { RunHere } from '../core/processes/throttle-plan.js';
import type { Clock } from '../clock/clock.js';
import type { EffectQueue } from '../pipelines/effects/effect-queue.js';
import type { Guest } from '../core/receiver/guest.js';
import type { NodeInput } from '../pipelines/inputs.js';
import type { OwnedItem } from '../core/owner/owned-item.js';
import type { NodeSettings } from '../pipelines/settings.js';
import { createThrottling, type Throttling } from '../pipelines/processes/throttle.js';
import type { Throttle } from '../throttle/throttle.js';
import type { GuestIndex } from './guest-index.js';

/** What throttling is wired from. */
export interface ThrottlingWiring {
  readonly settings: NodeSettings;
  readonly clock: Clock;
  readonly throttle: Throttle | undefined;
  readonly items: ReadonlyMap<string, OwnedItem>;
  readonly guests: ReadonlyMap<string, Guest>;
  readonly guestIndex: GuestIndex;
  readonly effectQueue: EffectQueue;
  push(input: NodeInput): void;
}

/** Creates the throttle stage of a node. */
export function wireThrottling({
  settings,
  clock,
  throttle,
  items,
  guests,
  guestIndex,
  effectQueue,
  push,
}: ThrottlingWiring): Throttling {
  return createThrottling({
    self: settings.id,
    pid: settings.pid,
    brokerPort: settings.brokerPort,
    clock,
    policies: settings.scum,
    formula: settings.scumFormula,
    trit: settings.trit,
    moveRestMs: settings.moves.cooldownMs,
    obstacle: findObstacle(throttle),
    runs: () => listRuns(guests, guestIndex),
    guestCpuPercent: guestIndex.cpuPercent,
    moveObstacle: (run) => findRunObstacle(run, settings.id, items),
    perform: (target, effects) => effectQueue.enqueue(`throttle/${target}`, effects),
    after: (target, done) => effectQueue.after(`throttle/${target}`, done),
    push,
  });
}

function findObstacle(throttle: Throttle | undefined): string | undefined {
  if (throttle === undefined) return 'this node has no throttle method';
  if (throttle.methods.length > 0) return undefined;
  const reasons = [...throttle.missing].map(([method, reason]) => `${method}: ${reason}`);
  return `no throttle method works here (${reasons.join('; ')})`;
}

/** The guests that have processes; ended ones have none. */
function listRuns(guests: ReadonlyMap<string, Guest>, guestIndex: GuestIndex): readonly RunHere[] {
  return [...guestIndex.pids()].flatMap(([guest, pids]) => {
    const state = guests.get(guest);
    if (state === undefined) return [];
    const { owner, item, name, phase, stopping } = state;
    return [{ guest, owner, item, name, running: phase === 'running' && stopping === null, pids }];
  });
}

function findRunObstacle(run: RunHere, self: string, items: ReadonlyMap<string, OwnedItem>): string | undefined {
  if (run.owner !== self) return `its owner ${run.owner} decides where it runs`;
  const state = items.get(run.item);
  return state === undefined ? 'its item is no longer known' : findMoveObstacle(state)?.text;
}
