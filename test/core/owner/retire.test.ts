/** Which ended items a node forgets. */
import { describe, expect, it } from 'vitest';
import type { OwnedItem } from '../../../src/core/owner/owned-item.js';
import { chooseRetired } from '../../../src/core/owner/retire.js';
import { submit } from './owner-run.js';

const KEPT_MS = 60_000;
const KEPT_MAX = 1000;

function createEnded(id: string, endedRunningMs: number, phase: OwnedItem['phase'] = 'done'): OwnedItem {
  const { state } = submit({ id });
  return { ...state, phase, endedRunningMs };
}

describe('an ended item', () => {
  it.each([
    ['is kept until its time is over', KEPT_MS, []],
    ['is forgotten after that', KEPT_MS + 1, ['j1']],
  ])('%s', (_title, runningMs, forgotten) => {
    expect(chooseRetired([createEnded('j1', 0)], KEPT_MS, runningMs)).toEqual(forgotten);
  });

  it('is forgotten before its time where there are too many, the oldest first', () => {
    const items = Array.from({ length: KEPT_MAX + 2 }, (_, index) => createEnded(`j${index}`, KEPT_MAX + 2 - index));
    expect(chooseRetired(items, KEPT_MS, KEPT_MAX + 2)).toEqual([`j${KEPT_MAX + 1}`, `j${KEPT_MAX}`]);
  });

  it('is kept for its whole time from now on if its end has no date', () => {
    const { endedRunningMs: _endedRunningMs, ...undated } = createEnded('j1', 0);
    expect(chooseRetired([undated as OwnedItem], KEPT_MS, 10 * KEPT_MS)).toEqual([]);
  });
});

describe('an item that has not ended', () => {
  it.each(['queued', 'running', 'returning', 'lost'] as const)('is never forgotten while it is %s', (phase) => {
    expect(chooseRetired([createEnded('j1', 0, phase)], KEPT_MS, 10 * KEPT_MS)).toEqual([]);
  });
});
