/** One node dies at a step of an item's way, exactly there, and is started again. */
import { describe, expect, it } from 'vitest';
import { BROKERS } from './brokers.js';
import { expectSettled, openPair, startAgain, submitJobs, type Side } from './pair.js';
import { chooseSteps } from './steps.js';
import { hasFlock } from './witness.js';

/** Steps that a short run takes of each side, on each broker. */
const SHORT_COUNT = 3;

/** Makes the tests: `side` dies at each of `steps`; the other node lives through all of them. */
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
