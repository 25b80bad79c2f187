/**
 * What a node finds on the simulated broker before it publishes anything: read by the production code, from a snapshot
 * of the retained messages.
 */
import { EMPTY, Subject } from 'rxjs';
import type { Bus, BusMessage } from '../../bus/bus.js';
import { collect, type ProbeBirthsOptions, type KnownBirths } from '../../node/probe-births.js';
import { fits } from './sim-broker.js';

/** Reads what is retained about a node and about the births of its mesh. */
export function readKnownBirths(
  retained: ReadonlyMap<string, string>,
  options: ProbeBirthsOptions,
): Omit<KnownBirths, 'unreached'> {
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
