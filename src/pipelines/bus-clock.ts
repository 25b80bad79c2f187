/**
 * Keeps the clock by which this node, as an owner, gives up: read at every input and every second, so that a gap between two
 * readings is time in which it did not run.
 */
import { interval, type Observable } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { advanceBusTime, changeBusTime, startBusTime, type BusTime } from '../core/bus-time.js';
import type { NodeInput } from './inputs.js';

/** The clock of one run of a node. */
export interface BusClock {
  take(input: NodeInput): void;
  read(): BusTime;
  /** To be subscribed for as long as the node runs: emits each second, after the clock was read. */
  readonly ticks$: Observable<unknown>;
}

const TICK_MS = 1000;

/** Makes the clock. */
export function createBusClock(clock: Clock): BusClock {
  let time = startBusTime(clock.now());

  function read(): BusTime {
    time = advanceBusTime(time, clock.now());
    return time;
  }

  return {
    read,
    take: (input) => {
      if (input.type === 'LinkChanged') time = changeBusTime(time, input.online, clock.now());
    },
    ticks$: interval(TICK_MS, clock.scheduler),
  };
}
