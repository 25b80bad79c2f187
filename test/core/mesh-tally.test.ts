/** The tally of a view, kept up to date member by member, is what counting all of them anew gives. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MeshRules } from '../../src/core/member.js';
import { createView, deriveSum, electReporter, stepMesh, type MeshInput, type MeshView } from '../../src/core/mesh.js';
import { MEMBERS_MAX } from '../../src/protocol/limits.js';
import type { Trit } from '../../src/protocol/messages.js';
import { createInfo, createState, meshRules } from './samples.js';

type Happening =
  | { readonly kind: 'heard'; readonly inputAt: (place: number) => MeshInput }
  /** Somebody asks, and so brings the tally up to date; `otherRules` for a moment. */
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

/** Messages are numbered by their place in the story; one that comes late has a lower number than the last. */
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

function answersOf(view: MeshView, now: number, rules: MeshRules): object {
  return { ...deriveSum(view, now, rules), reporter: electReporter(view, now, rules) };
}

/** What a view that has never counted says of the same members. */
function countAnew(view: MeshView, now: number, rules: MeshRules): object {
  return answersOf(createView(view.values()), now, rules);
}

test('whatever happens in whatever order, the tally is right at every moment', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 120, size: 'max' }), (happenings) => {
      const view = createView();
      let now = 0;
      for (const [place, one] of happenings.entries()) {
        if (one.kind === 'passed') now += one.ms;
        else if (one.kind === 'heard') stepMesh(view, one.inputAt(place), now);
        else {
          const rules = one.otherRules ? { offlineAfterMs: 100 } : meshRules;
          expect(answersOf(view, now, rules)).toEqual(countAnew(view, now, rules));
        }
      }
      expect(answersOf(view, now, meshRules)).toEqual(countAnew(view, now, meshRules));
    }),
    { numRuns: 1000 },
  );
});

test('a member that was forgotten to make room does not count any more', () => {
  const view = createView();
  for (let index = 0; index < MEMBERS_MAX; index += 1) {
    const state = { v: 1 as const, ts: '', boot: 1, seq: 1, ...createState({ trit: -1 }) };
    stepMesh(view, birthOf(`n${index}`, 'A'), 0);
    stepMesh(view, { type: 'StateHeard', node: `n${index}`, state, fresh: true }, 0);
  }
  expect(deriveSum(view, 0, meshRules).sum).toBe(-MEMBERS_MAX);
  stepMesh(view, { type: 'AvailabilityHeard', node: 'n7', online: false }, 1);
  stepMesh(view, { type: 'InfoHeard', node: 'late', info: { v: 1, ts: '', boot: 1, seq: 1, ...createInfo() } }, 1);
  expect(view.has('n7')).toBe(false);
  expect(deriveSum(view, 1, meshRules).sum).toBe(1 - MEMBERS_MAX);
});
