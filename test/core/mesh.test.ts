/** The mesh as one node sees it: who counts, what the sum is, who reports it. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deriveSum, directionOf, electReporter, isNews, residueOf, stepMesh } from '../../src/core/mesh.js';
import { isOnline, type Member } from '../../src/core/member.js';
import { MEMBERS_MAX } from '../../src/protocol/limits.js';
import type { Message, Trit } from '../../src/protocol/messages.js';
import { createInfo, createMember, createState, createView, meshRules } from './samples.js';

function stateOf(boot: number, seq: number, trit: Trit = 0): Message<'state'> {
  return { v: 1, ts: '', boot, seq, ...createState({ trit }) };
}

function birthOf(key: string): Message<'info'> {
  return { v: 1, ts: '', boot: 1, seq: 1, ...createInfo({ key }) };
}

describe('residueOf', () => {
  test.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 0],
    [-1, 2],
    [-2, 1],
    [-3, 0],
    [-4, 2],
  ])('of %i is %i', (sum, residue) => {
    expect(residueOf(sum)).toBe(residue);
  });

  test('is the same for sums that differ by 3', () => {
    fc.assert(fc.property(fc.integer({ min: -9999, max: 9999 }), (sum) => residueOf(sum) === residueOf(sum + 3)));
  });
});

describe('deriveSum', () => {
  test.each<[string, readonly Trit[], object]>([
    ['an empty mesh rests', [], { sum: 0, residue: 0, invariant: true, direction: 'rest', online: 0 }],
    ['one PLUS: shed', [1], { sum: 1, residue: 1, invariant: false, direction: 'shed', plus: 1 }],
    ['one MINUS: wake', [-1], { sum: -1, residue: 2, invariant: false, direction: 'wake', minus: 1 }],
    [
      'one of each: rest',
      [1, 0, -1],
      { sum: 0, residue: 0, invariant: true, direction: 'rest', ergodic: 1, online: 3 },
    ],
    [
      'three PLUS hold the invariant and still shed',
      [1, 1, 1],
      { sum: 3, residue: 0, invariant: true, direction: 'shed' },
    ],
    ['two MINUS', [-1, -1], { sum: -2, residue: 1, invariant: false, direction: 'wake' }],
  ])('%s', (_title, trits, expected) => {
    const view = createView(...trits.map((trit, index) => createMember(`n${index}`, { trit })));
    expect(deriveSum(view, 0, meshRules)).toMatchObject(expected);
  });

  test('is plus less minus, whoever is in it', () => {
    const trits = fc.array(fc.constantFrom<Trit>(-1, 0, 1), { maxLength: 40 });
    fc.assert(
      fc.property(trits, (list) => {
        const view = createView(...list.map((trit, index) => createMember(`n${index}`, { trit })));
        const sum = deriveSum(view, 0, meshRules);
        expect(sum.sum).toBe(list.reduce((total: number, trit) => total + trit, 0));
        expect(sum.direction).toBe(directionOf(sum.sum));
        expect(sum.plus + sum.ergodic + sum.minus).toBe(list.length);
      }),
    );
  });
});

describe('isOnline', () => {
  test('a state is believed as long as it says', () => {
    const member = createMember('beta', { ttl_s: 45 });
    expect(isOnline(member, 45_000, meshRules)).toBe(true);
    expect(isOnline(member, 45_001, meshRules)).toBe(false);
  });

  test('offline is believed after a while only: a session take-over says it first', () => {
    const member = { ...createMember('beta'), available: false, offlineSince: 1000 };
    expect(isOnline(member, 3999, meshRules)).toBe(true);
    expect(isOnline(member, 4000, meshRules)).toBe(false);
  });

  test('a member without a state does not count', () => {
    expect(isOnline({ ...createMember('beta'), state: undefined }, 0, meshRules)).toBe(false);
  });
});

describe('stepMesh', () => {
  test('an online that follows an offline takes it back', () => {
    const view = createView(createMember('beta'));
    stepMesh(view, { type: 'AvailabilityHeard', node: 'beta', online: false }, 100);
    stepMesh(view, { type: 'AvailabilityHeard', node: 'beta', online: true }, 200);
    expect(deriveSum(view, 10_000, meshRules).online).toBe(1);
  });

  test.each<[string, number, number, boolean]>([
    ['a newer message', 5, 8, true],
    ['a newer run, numbered from the beginning', 6, 1, true],
    ['the same message again', 5, 7, false],
    ['an older message', 5, 6, false],
    ['an older run', 4, 99, false],
  ])('%s changes the state: see the table', (_title, boot, seq, changes) => {
    const view = createView();
    stepMesh(view, { type: 'StateHeard', node: 'beta', state: stateOf(5, 7), fresh: false }, 0);
    expect(stepMesh(view, { type: 'StateHeard', node: 'beta', state: stateOf(boot, seq, 1), fresh: false }, 10)).toBe(
      changes,
    );
    expect(view.get('beta')?.state?.trit).toBe(changes ? 1 : 0);
  });

  test('another key is another machine: its numbers begin anew', () => {
    const view = createView();
    stepMesh(view, { type: 'InfoHeard', node: 'beta', info: birthOf('A'.repeat(43)) }, 0);
    stepMesh(view, { type: 'StateHeard', node: 'beta', state: stateOf(9, 9), fresh: false }, 0);
    stepMesh(view, { type: 'InfoHeard', node: 'beta', info: birthOf('B'.repeat(43)) }, 0);
    expect(view.get('beta')?.state).toBeUndefined();
    expect(stepMesh(view, { type: 'StateHeard', node: 'beta', state: stateOf(1, 1), fresh: false }, 0)).toBe(true);
  });
});

describe('what is said again', () => {
  test('the birth of an earlier run changes nothing', () => {
    const view = createView({ ...createMember('beta', {}, { key: 'a', cpus: 8 }), boot: 5 });
    expect(stepMesh(view, { type: 'InfoHeard', node: 'beta', info: { ...birthOf('a'), boot: 4 } }, 1)).toBe(false);
    expect(view.get('beta')?.info?.cpus).toBe(8);
  });

  test('the birth of this run, and of a later one, is taken', () => {
    for (const boot of [5, 6]) {
      const view = createView({ ...createMember('beta', {}, { key: 'a', cpus: 8 }), boot: 5 });
      expect(stepMesh(view, { type: 'InfoHeard', node: 'beta', info: { ...birthOf('a'), boot, cpus: 2 } }, 1)).toBe(
        true,
      );
      expect(view.get('beta')?.info?.cpus).toBe(2);
    }
  });
});

describe('a view that is full', () => {
  const full = Array.from({ length: MEMBERS_MAX }, (_, index) => `m${index}`);

  test('makes room by forgetting who was only ever said to be online', () => {
    const view = createView();
    for (const node of full) stepMesh(view, { type: 'AvailabilityHeard', node, online: true }, 0);
    expect(stepMesh(view, { type: 'InfoHeard', node: 'late', info: birthOf('a') }, 1)).toBe(true);
    expect(view.size).toBe(MEMBERS_MAX);
  });

  test('forgets nobody whose birth was heard and who is there', () => {
    const view = createView(...full.map((node) => createMember(node)));
    expect(stepMesh(view, { type: 'InfoHeard', node: 'late', info: birthOf('a') }, 1)).toBe(false);
    expect(view.has('late')).toBe(false);
  });
});

describe('electReporter', () => {
  test.each<[string, readonly (readonly [string, Trit])[], string | undefined]>([
    [
      'the lowest id among the ERGODIC',
      [
        ['a', 1],
        ['c', 0],
        ['b', 0],
      ],
      'b',
    ],
    [
      'the lowest of all where none is',
      [
        ['b', -1],
        ['a', 1],
      ],
      'a',
    ],
    ['nobody where nobody is online', [], undefined],
  ])('%s', (_title, members, expected) => {
    const view = createView(...members.map(([id, trit]) => createMember(id, { trit })));
    expect(electReporter(view, 0, meshRules)).toBe(expected);
  });
});

describe('isNews', () => {
  const before = createMember('beta', { trit: -1, slots_free: 2 });
  test.each<[string, Member | undefined, boolean]>([
    ['ratios that wandered are none', createMember('beta', { trit: -1, load_ratio: 0.1, projected_ratio: 0.2 }), false],
    ['a trit is', createMember('beta', { trit: 0 }), true],
    ['a free slot is', createMember('beta', { trit: -1, slots_free: 1 }), true],
    ['draining is', createMember('beta', { trit: -1, draining: true }), true],
    ['unwillingness is', createMember('beta', { trit: -1, accepting: false }), true],
    ['going offline is', { ...before, available: false }, true],
    ['a member that is forgotten is', undefined, true],
  ])('%s', (_title, after, news) => {
    // The birth is the same one; a new one is news by itself.
    const said = after === undefined ? undefined : { ...after, info: before.info };
    expect(isNews(before, said)).toBe(news);
    expect(isNews(undefined, said)).toBe(true);
  });

  test('a birth is', () => {
    expect(isNews(before, { ...before, info: createInfo() })).toBe(true);
  });
});
