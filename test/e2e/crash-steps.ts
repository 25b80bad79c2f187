/** A node is killed exactly at a step of an item's way, and is started again. */
import { describe, expect, it } from 'vitest';
import { BROKERS } from '../support/brokers.js';
import { expectSettled, openPair, startAgain, submitJobs, type Side } from '../support/pair.js';
import { chooseSteps } from '../support/steps.js';
import { hasFlock } from '../support/witness.js';

/** Steps of each side that a short run tests on each broker. */
const SHORT_COUNT = 3;

/** Defines the tests: `side` is killed at each of `steps`; the other node keeps running. */
export function crashAtSteps(side: Side, steps: readonly string[]): void {
  describe.each(BROKERS)('on $name', ({ isThere, open, name }) => {
    if (!isThere || !hasFlock()) return it.skip('needs its broker and flock', () => undefined);
    it.each(chooseSteps(steps, name, SHORT_COUNT))('settles everything when its node dies at %s', async (step) => {
      const pair = await openPair(open, { side, at: step });
      const jobs = await submitJobs(pair);
      expect(await pair[side].ended()).toBe('SIGKILL');
      expect(pair[side].output()).toContain(`dies at ${step}\n`);
      await startAgain(pair, pair[side]);
      await expectSettled(pair, jobs);
    });
  });
}
