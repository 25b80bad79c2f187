/**
 * What a node finds on the simulated broker before it says anything: read by the same code as in earnest, from what is retained,
 * at one moment.
 */
import { EMPTY, Subject } from 'rxjs';
import type { Bus, BusMessage } from '../bus/bus.js';
import { collect, type LookOptions, type Sight } from '../node/look-around.js';
import { fits } from './sim-broker.js';

/** Reads the traces of a node. */
export function readSight(retained: ReadonlyMap<string, string>, options: LookOptions): Omit<Sight, 'unreached'> {
  const messages$ = new Subject<BusMessage>();
  let filters: readonly string[] = [];
  const bus: Bus = {
    link$: EMPTY,
    messages$,
    refused$: EMPTY,
    connect: () => undefined,
    subscribe: (wanted) => {
      filters = wanted;
    },
    publish: () => undefined,
    forget: () => undefined,
    close: (done) => done(),
  };
  const seen = collect(bus, options);
  for (const [topic, text] of retained) {
    if (!filters.some((filter) => fits(filter, topic))) continue;
    messages$.next({ topic, payload: new TextEncoder().encode(text), retained: true });
  }
  return seen();
}
