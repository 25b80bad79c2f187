/** That a run is over is told also where nobody can look what it left: a node without a descriptor must not die of it, nor wait for ever. */
import { describe, expect, it } from 'vitest';
import { endLeftBehind } from '../../../src/run/processes/end-left-behind.js';
import { createManualClock } from '../../support/manual-clock.js';

const RUN = { handle: { pid: 1, start: '1@x' }, directory: '/nowhere', mark: 'none', afterPid: undefined };
const NOTHING = { marked: [], held: [], isUnclear: false };

/** Ends a run of which the first looks fail; gives when it was done, ms, after a minute. */
function endAfter(failures: number): { readonly doneAt: readonly number[]; readonly looks: number } {
  const clock = createManualClock();
  const doneAt: number[] = [];
  let looks = 0;
  endLeftBehind(
    RUN,
    clock,
    () => doneAt.push(clock.now()),
    () => {
      looks += 1;
      if (looks <= failures) throw new Error('EMFILE: too many open files');
      return NOTHING;
    },
  );
  clock.pass(60_000);
  return { doneAt, looks };
}

describe('a run that has ended', () => {
  it('is looked at again when nothing can be opened to look, and is over once', () => {
    expect(endAfter(0)).toEqual({ doneAt: [0], looks: 1 });
    const { doneAt, looks } = endAfter(8);
    expect(looks).toBe(9);
    expect(doneAt).toHaveLength(1);
  });

  it('is over all the same when it stays so', () => {
    const [doneAt = NaN, ...more] = endAfter(Number.POSITIVE_INFINITY).doneAt;
    expect(more).toEqual([]);
    expect(doneAt).toBeGreaterThanOrEqual(5000);
    expect(doneAt).toBeLessThan(10_000);
  });
});
