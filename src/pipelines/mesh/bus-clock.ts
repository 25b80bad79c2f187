/**
 * Keeps the clock by which this node, as an owner, gives up on receivers. It is read at every input and every second,
 * so a gap between two readings is time in which the node did not run.
 */
import { interval, type Observable } from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import { advanceBusTime, changeBusTime, startBusTime, type BusTime } from '../../core/bus-time.js';
import type { NodeInput } from '../inputs.js';

/** The bus clock of one boot of a node. */
export interface BusClock {
  handle(input: NodeInput): void;
  read(): BusTime;
  /** Emits each second; subscribe to it for as long as the node runs, and read the clock each time. */
  readonly ticks$: Observable<unknown>;
}

const TICK_MS = 1000;

/** Creates the clock. */
export function createBusClock(clock: Clock): BusClock {
  let time = startBusTime(clock.now());

  function read(): BusTime {
    time = advanceBusTime(time, clock.now());
    return time;
  }

  return {
    read,
    handle: (input) => {
      if (input.type === 'LinkChanged') time = changeBusTime(time, input.online, clock.now());
    },
    ticks$: interval(TICK_MS, clock.scheduler),
  };
}
