/** The mesh as one node sees it: which members count, the sum, and the reporter. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  deriveSum,
  directionOf,
  electReporter,
  isNews,
  residueOf,
  stepMember,
} from '../../../src/core/mesh/member-table.js';
import { isOnline, type Member } from '../../../src/core/mesh/member.js';
import { MEMBERS_MAX } from '../../../src/protocol/limits.js';
import type { Message, Trit } from '../../../src/protocol/messages.js';
import { createInfo, createMember, createState, createTable, meshRules } from '../../support/samples.js';

function stateOf(boot: number, seq: number, trit: Trit = 0): Message<'state'> {
  return { v: 1, ts: '', boot, seq, ...createState({ trit }) };
}

function birthOf(key: string): Message<'info'> {
  return { v: 1, ts: '', boot: 1, seq: 1, ...createInfo({ key }) };
}

describe('residueOf', () => {
  it.each([
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

  it('is the same for sums that differ by 3', () => {
    fc.assert(fc.property(fc.integer({ min: -9999, max: 9999 }), (sum) => residueOf(sum) === residueOf(sum + 3)));
  });
});

describe('deriveSum', () => {
  it.each<[string, readonly Trit[], object]>([
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
    const members = createTable(...trits.map((trit, index) => createMember(`n${index}`, { trit })));
    expect(deriveSum(members, 0, meshRules)).toMatchObject(expected);
  });

  it('is the number of PLUS less the number of MINUS, whatever the members', () => {
    const trits = fc.array(fc.constantFrom<Trit>(-1, 0, 1), { maxLength: 40 });
    fc.assert(
      fc.property(trits, (list) => {
        const members = createTable(...list.map((trit, index) => createMember(`n${index}`, { trit })));
        const sum = deriveSum(members, 0, meshRules);
        expect(sum.sum).toBe(list.reduce((total: number, trit) => total + trit, 0));
        expect(sum.direction).toBe(directionOf(sum.sum));
        expect(sum.plus + sum.ergodic + sum.minus).toBe(list.length);
      }),
    );
  });
});

describe('isOnline', () => {
  it('believes a state for as long as its ttl', () => {
    const member = createMember('beta', { ttl_s: 45 });
    expect(isOnline(member, 45_000, meshRules)).toBe(true);
    expect(isOnline(member, 45_001, meshRules)).toBe(false);
  });

  it('believes offline only after a while, since a session take-over publishes it first', () => {
    const member = { ...createMember('beta'), available: false, offlineSince: 1000 };
    expect(isOnline(member, 3999, meshRules)).toBe(true);
    expect(isOnline(member, 4000, meshRules)).toBe(false);
  });

  it('is false for a member without a state', () => {
    expect(isOnline({ ...createMember('beta'), state: undefined }, 0, meshRules)).toBe(false);
  });
});

describe('stepMember', () => {
  it('takes an offline back when an online follows', () => {
    const members = createTable(createMember('beta'));
    stepMember(members, { type: 'AvailabilityHeard', node: 'beta', online: false }, 100);
    stepMember(members, { type: 'AvailabilityHeard', node: 'beta', online: true }, 200);
    expect(deriveSum(members, 10_000, meshRules).online).toBe(1);
  });

  it.each<[string, number, number, boolean]>([
    ['a newer message', 5, 8, true],
    ['a newer boot, numbered from the beginning', 6, 1, true],
    ['the same message again', 5, 7, false],
    ['an older message', 5, 6, false],
    ['an older boot', 4, 99, false],
  ])('handles %s', (_title, boot, seq, changes) => {
    const members = createTable();
    stepMember(members, { type: 'StateHeard', node: 'beta', state: stateOf(5, 7), fresh: false }, 0);
    expect(
      stepMember(members, { type: 'StateHeard', node: 'beta', state: stateOf(boot, seq, 1), fresh: false }, 10),
    ).toBe(changes);
    expect(members.get('beta')?.state?.trit).toBe(changes ? 1 : 0);
  });

  it('accepts lower numbers from another key, which is another machine', () => {
    const members = createTable();
    stepMember(members, { type: 'InfoHeard', node: 'beta', info: birthOf('A'.repeat(43)) }, 0);
    stepMember(members, { type: 'StateHeard', node: 'beta', state: stateOf(9, 9), fresh: false }, 0);
    stepMember(members, { type: 'InfoHeard', node: 'beta', info: birthOf('B'.repeat(43)) }, 0);
    expect(members.get('beta')?.state).toBeUndefined();
    expect(stepMember(members, { type: 'StateHeard', node: 'beta', state: stateOf(1, 1), fresh: false }, 0)).toBe(true);
  });
});

describe('a repeated birth message', () => {
  it('of an earlier boot changes nothing', () => {
    const members = createTable({ ...createMember('beta', {}, { key: 'a', cpus: 8 }), boot: 5 });
    expect(stepMember(members, { type: 'InfoHeard', node: 'beta', info: { ...birthOf('a'), boot: 4 } }, 1)).toBe(false);
    expect(members.get('beta')?.info?.cpus).toBe(8);
  });

  it('of this boot or a later one is accepted', () => {
    for (const boot of [5, 6]) {
      const members = createTable({ ...createMember('beta', {}, { key: 'a', cpus: 8 }), boot: 5 });
      expect(
        stepMember(members, { type: 'InfoHeard', node: 'beta', info: { ...birthOf('a'), boot, cpus: 2 } }, 1),
      ).toBe(true);
      expect(members.get('beta')?.info?.cpus).toBe(2);
    }
  });
});

describe('a full member table', () => {
  const full = Array.from({ length: MEMBERS_MAX }, (_, index) => `m${index}`);

  it('evicts a member that never published a birth', () => {
    const members = createTable();
    for (const node of full) stepMember(members, { type: 'AvailabilityHeard', node, online: true }, 0);
    expect(stepMember(members, { type: 'InfoHeard', node: 'late', info: birthOf('a') }, 1)).toBe(true);
    expect(members.size).toBe(MEMBERS_MAX);
  });

  it('keeps online members whose birth was received', () => {
    const members = createTable(...full.map((node) => createMember(node)));
    expect(stepMember(members, { type: 'InfoHeard', node: 'late', info: birthOf('a') }, 1)).toBe(false);
    expect(members.has('late')).toBe(false);
  });
});

describe('electReporter', () => {
  it.each<[string, readonly (readonly [string, Trit])[], string | undefined]>([
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
    ['is nobody if nobody is online', [], undefined],
  ])('%s', (_title, trits, expected) => {
    const members = createTable(...trits.map(([id, trit]) => createMember(id, { trit })));
    expect(electReporter(members, 0, meshRules)).toBe(expected);
  });
});

describe('isNews', () => {
  const before = createMember('beta', { trit: -1, slots_free: 2 });
  it.each<[string, Member | undefined, boolean]>([
    [
      'is false for slightly different ratios',
      createMember('beta', { trit: -1, load_ratio: 0.1, projected_ratio: 0.2 }),
      false,
    ],
    ['is true for a trit', createMember('beta', { trit: 0 }), true],
    ['is true for a free slot', createMember('beta', { trit: -1, slots_free: 1 }), true],
    ['is true for draining', createMember('beta', { trit: -1, draining: true }), true],
    ['is true for not accepting', createMember('beta', { trit: -1, accepting: false }), true],
    ['is true for going offline', { ...before, available: false }, true],
    ['is true for an evicted member', undefined, true],
  ])('%s', (_title, after, news) => {
    // Keeps the same birth, since a new one would already be news.
    const said = after === undefined ? undefined : { ...after, info: before.info };
    expect(isNews(before, said)).toBe(news);
    expect(isNews(undefined, said)).toBe(true);
  });

  it('is true for a birth', () => {
    expect(isNews(before, { ...before, info: createInfo() })).toBe(true);
  });
});
