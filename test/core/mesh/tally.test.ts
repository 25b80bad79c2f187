/** The tally of a member table, updated member by member, always equals a full count. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { MeshRules } from '../../../src/core/mesh/member.js';
import {
  createMemberTable,
  deriveSum,
  electReporter,
  stepMember,
  type MeshInput,
  type MemberTable,
} from '../../../src/core/mesh/member-table.js';
import { MEMBERS_MAX } from '../../../src/protocol/limits.js';
import type { Trit } from '../../../src/protocol/messages.js';
import { createInfo, createState, meshRules } from '../../support/samples.js';

type Happening =
  | { readonly kind: 'heard'; readonly inputAt: (place: number) => MeshInput }
  /** Reads the sum, which brings the tally up to date; with `otherRules` under other rules. */
  | { readonly kind: 'asked'; readonly otherRules: boolean }
  | { readonly kind: 'passed'; readonly ms: number };

const node = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(node, fc.constantFrom<Trit>(-1, 0, 1), fc.boolean()).chain(drawState) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(node, fc.boolean())
      .map(([id, online]) => heard({ type: 'AvailabilityHeard', node: id, online })),
  },
  { weight: 1, arbitrary: fc.tuple(node, fc.constantFrom('A', 'B')).map(([id, key]) => heard(birthOf(id, key))) },
  { weight: 3, arbitrary: fc.boolean().map((otherRules): Happening => ({ kind: 'asked', otherRules })) },
  { weight: 3, arbitrary: fc.constantFrom(1, 10, 400, 2000, 4000).map((ms): Happening => ({ kind: 'passed', ms })) },
);

/** Messages are numbered by their position in the sequence; a late one has a lower number than the last. */
function drawState([id, trit, fresh]: [string, Trit, boolean]): fc.Arbitrary<Happening> {
  return fc
    .record({ late: fc.integer({ min: 0, max: 9 }), ttl_s: fc.constantFrom(2, 30, 60) })
    .map(({ late, ttl_s }) => ({
      kind: 'heard',
      inputAt: (place: number): MeshInput => {
        const state = { v: 1 as const, ts: '', boot: 1, seq: place - late, ...createState({ trit, ttl_s }) };
        return { type: 'StateHeard', node: id, state, fresh };
      },
    }));
}

function birthOf(id: string, key: string): MeshInput {
  return {
    type: 'InfoHeard',
    node: id,
    info: { v: 1, ts: '', boot: 1, seq: 1, ...createInfo({ key: key.repeat(43) }) },
  };
}

function heard(input: MeshInput): Happening {
  return { kind: 'heard', inputAt: () => input };
}

function answersOf(members: MemberTable, now: number, rules: MeshRules): object {
  return { ...deriveSum(members, now, rules), reporter: electReporter(members, now, rules) };
}

/** The answers of a new table with the same members. */
function countAnew(members: MemberTable, now: number, rules: MeshRules): object {
  return answersOf(createMemberTable(members.values()), now, rules);
}

it('the tally is always right, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 120, size: 'max' }), (happenings) => {
      const members = createMemberTable();
      let now = 0;
      for (const [place, one] of happenings.entries()) {
        if (one.kind === 'passed') now += one.ms;
        else if (one.kind === 'heard') stepMember(members, one.inputAt(place), now);
        else {
          const rules = one.otherRules ? { offlineAfterMs: 100 } : meshRules;
          expect(answersOf(members, now, rules)).toEqual(countAnew(members, now, rules));
        }
      }
      expect(answersOf(members, now, meshRules)).toEqual(countAnew(members, now, meshRules));
    }),
    { numRuns: 1000 },
  );
});

it('an evicted member no longer counts', () => {
  const members = createMemberTable();
  for (let index = 0; index < MEMBERS_MAX; index += 1) {
    const state = { v: 1 as const, ts: '', boot: 1, seq: 1, ...createState({ trit: -1 }) };
    stepMember(members, birthOf(`n${index}`, 'A'), 0);
    stepMember(members, { type: 'StateHeard', node: `n${index}`, state, fresh: true }, 0);
  }
  expect(deriveSum(members, 0, meshRules).sum).toBe(-MEMBERS_MAX);
  stepMember(members, { type: 'AvailabilityHeard', node: 'n7', online: false }, 1);
  stepMember(members, { type: 'InfoHeard', node: 'late', info: { v: 1, ts: '', boot: 1, seq: 1, ...createInfo() } }, 1);
  expect(members.has('n7')).toBe(false);
  expect(deriveSum(members, 1, meshRules).sum).toBe(1 - MEMBERS_MAX);
});
