/**
 * Lays the throttling of a node out: which runs there are, and what stands in the way of moving or throttling them.
 */
import { findMoveObstacle } from '../core/owner/move.js';
import type { RunHere } from '../core/throttle-choice.js';
import type { Clock } from '../clock/clock.js';
import type { Gate } from '../pipelines/gate.js';
import type { Hosting } from '../pipelines/host.js';
import type { NodeInput } from '../pipelines/inputs.js';
import type { Ownership } from '../pipelines/own.js';
import type { NodeSettings } from '../pipelines/settings.js';
import { createThrottling, type Throttling } from '../pipelines/throttle.js';
import type { Throttle } from '../throttle/throttle.js';
import type { GuestIndex } from './guest-index.js';

/** What it is laid out from. */
export interface ThrottlingGround {
  readonly settings: NodeSettings;
  readonly clock: Clock;
  readonly throttle: Throttle | undefined;
  readonly own: Ownership;
  readonly host: Hosting;
  readonly guests: GuestIndex;
  readonly gate: Gate;
  push(input: NodeInput): void;
}

/** Lays it out. */
export function layThrottling({
  settings,
  clock,
  throttle,
  own,
  host,
  guests,
  gate,
  push,
}: ThrottlingGround): Throttling {
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
    runs: () => listRuns(host, guests),
    moveObstacle: (run) => findRunObstacle(run, settings.id, own),
    perform: (target, effects) => gate.take(`throttle/${target}`, effects),
    after: (target, done) => gate.after(`throttle/${target}`, done),
    push,
  });
}

function findObstacle(throttle: Throttle | undefined): string | undefined {
  if (throttle === undefined) return 'this node has nothing that throttles';
  if (throttle.methods.length > 0) return undefined;
  const reasons = [...throttle.missing].map(([method, reason]) => `${method}: ${reason}`);
  return `nothing that throttles works here (${reasons.join('; ')})`;
}

/** The guests with processes; ended ones have none. */
function listRuns(host: Hosting, guests: GuestIndex): readonly RunHere[] {
  return [...guests.pids()].flatMap(([guest, pids]) => {
    const state = host.ledger.states.get(guest);
    if (state === undefined) return [];
    const { owner, item, name, phase, stopping } = state;
    return [{ guest, owner, item, name, running: phase === 'running' && stopping === null, pids }];
  });
}

function findRunObstacle(run: RunHere, self: string, own: Ownership): string | undefined {
  if (run.owner !== self) return `its owner ${run.owner} says where it runs`;
  const state = own.ledger.states.get(run.item);
  return state === undefined ? 'it is not known any more' : findMoveObstacle(state);
}
