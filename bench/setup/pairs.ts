/** A pair of nodes on each broker, all at the same time, so that they can be measured in turns. */
import { listBrokers, startBroker, type BenchBroker } from './brokers.js';
import { startPair, type Pair } from './pair.js';
import type { Scratch } from './scratch.js';

/** A broker and its nodes. */
export interface BrokerPair {
  readonly broker: BenchBroker;
  readonly pair: Pair;
  /** Where its directories are, and what ends it. */
  readonly scratch: Scratch;
}

/** Starts a broker of each kind that this machine has, and a pair of nodes on each. */
export async function startPairs(scratch: Scratch): Promise<readonly BrokerPair[]> {
  const pairs: BrokerPair[] = [];
  for (const name of listBrokers()) {
    const inner = scratch.open();
    const broker = await startBroker(inner, name);
    pairs.push({ broker, pair: await startPair(inner, broker), scratch: inner });
  }
  return pairs;
}
