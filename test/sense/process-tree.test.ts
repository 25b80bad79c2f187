import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTreeTicks, selectTree, type TreeCount } from '../../src/sense/process-tree.js';

function count(pid: number, ownTicks: number, more: Partial<TreeCount> = {}): TreeCount {
  return { pid, ppid: 1, startTicks: pid, ownTicks, childTicks: 0, ...more };
}

describe('selectTree', () => {
  const all = [
    { pid: 1, ppid: 0 },
    { pid: 12, ppid: 11 },
    { pid: 10, ppid: 1 },
    { pid: 11, ppid: 10 },
    { pid: 20, ppid: 1 },
    { pid: 13, ppid: 10 },
  ];
  it.each<[string, number, readonly number[]]>([
    ['a tree has all descendants, in whatever order they are listed', 10, [10, 11, 12, 13]],
    ['a leaf is its own tree', 20, [20]],
    ['the first process has all', 1, [1, 10, 11, 12, 13, 20]],
    ['a process that is not there has none', 99, []],
  ])('%s', (_title, root, pids) => {
    const found = selectTree(all, root).map(({ pid }) => pid);
    expect(found.toSorted((a, b) => a - b)).toEqual(pids);
  });

  it('a process that is its own parent ends', () => {
    expect(selectTree([{ pid: 0, ppid: 0 }], 0)).toEqual([{ pid: 0, ppid: 0 }]);
  });
});

describe('countTreeTicks', () => {
  it.each<[string, readonly TreeCount[], readonly TreeCount[], number]>([
    ['a member counts what it ran since', [count(10, 100)], [count(10, 150)], 50],
    ['a new member counts from its start', [count(10, 100)], [count(10, 100), count(11, 30)], 30],
    [
      'a pid used again is another process',
      [count(10, 0), count(11, 500, { startTicks: 1 })],
      [count(10, 0), count(11, 20, { startTicks: 2 })],
      20,
    ],
    [
      'a child that came and ended between the looks counts by what its parent waited for',
      [count(10, 100)],
      [count(10, 100, { childTicks: 80 })],
      80,
    ],
    [
      'a child that ended counts only what it ran since',
      [count(10, 100), count(11, 500)],
      [count(10, 100, { childTicks: 540 })],
      40,
    ],
    ['a child that ended unnoticed takes nothing from the others', [count(10, 0), count(11, 500)], [count(10, 70)], 70],
    ['nothing that happens is less than none', [count(10, 0), count(11, 500)], [count(10, 0)], 0],
  ])('%s', (_title, before, after, ticks) => {
    expect(countTreeTicks(before, after)).toBe(ticks);
  });

  it('property: a tree whose children all end and are waited for is counted exactly', () => {
    const child = fc.record({ before: fc.nat(1000), since: fc.nat(1000), ended: fc.boolean() });
    fc.assert(
      fc.property(fc.array(child, { maxLength: 20 }), fc.nat(1000), (children, ran) => {
        const before = [count(1, 50), ...children.map((one, index) => count(index + 2, one.before))];
        const waited = children.filter((one) => one.ended).reduce((sum, one) => sum + one.before + one.since, 0);
        const living = children.flatMap((one, index) => (one.ended ? [] : [count(index + 2, one.before + one.since)]));
        const truth = ran + children.reduce((sum, one) => sum + one.since, 0);
        expect(countTreeTicks(before, [count(1, 50 + ran, { childTicks: waited }), ...living])).toBe(truth);
      }),
    );
  });
});
