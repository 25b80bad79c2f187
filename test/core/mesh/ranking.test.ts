/** The ranking: each member has a place or one reason why not, and all nodes compute the same order. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  claimDelayMs,
  countDue,
  findObstacle,
  findRank,
  rankReceivers,
  type PlacementRequest,
} from '../../../src/core/mesh/ranking.js';
import type { Member } from '../../../src/core/mesh/member.js';
import type { State } from '../../../src/protocol/messages.js';
import { createMember, createTable, meshRules, need } from '../../support/samples.js';

const ask: PlacementRequest = { owner: 'alpha', item: 'j1', epoch: 1, need, avoid: [], deferred: false };

function reasonFor(member: Member, change: Partial<PlacementRequest> = {}): string | undefined {
  return rankReceivers(createTable(member), { ...ask, ...change }, 0, meshRules).blocked.get(member.id)?.text;
}

describe('the reason why a member does not take an item', () => {
  const offline = { ...createMember('beta'), available: false };
  const unborn = { ...createMember('beta'), info: undefined };
  it.each<[string, Member, Partial<PlacementRequest>, string | undefined]>([
    ['a MINUS node takes it', createMember('beta'), {}, undefined],
    ['offline', offline, {}, 'offline'],
    ['without a birth', unborn, {}, 'its birth message has not been heard yet'],
    ['PLUS', createMember('beta', { trit: 1 }), {}, 'it is PLUS (overloaded)'],
    ['ERGODIC', createMember('beta', { trit: 0 }), {}, 'it is ERGODIC (busy), only MINUS nodes receive'],
    ['the owner may be ERGODIC', createMember('alpha', { trit: 0 }), {}, undefined],
    [
      'the owner of a deferred item may not',
      createMember('alpha', { trit: 0 }),
      { deferred: true },
      'it is ERGODIC (busy), only MINUS nodes receive',
    ],
    ['the owner may not be PLUS', createMember('alpha', { trit: 1, load_ratio: 0.81 }), {}, 'it is PLUS (overloaded)'],
    ['but an owner that is only held PLUS may', createMember('alpha', { trit: 1, load_ratio: 0.8 }), {}, undefined],
    [
      'not for a deferred item',
      createMember('alpha', { trit: 1, load_ratio: 0.7 }),
      { deferred: true },
      'it is PLUS (overloaded)',
    ],
    [
      'another node that is only held PLUS may not',
      createMember('beta', { trit: 1, load_ratio: 0.7 }),
      {},
      'it is PLUS (overloaded)',
    ],
    ['draining', createMember('beta', { draining: true }), {}, 'it is draining'],
    ['not accepting', createMember('beta', { accepting: false }), {}, 'it accepts no work from others'],
    ['the owner always accepts its own', createMember('alpha', { accepting: false }), {}, undefined],
    ['in the avoid list', createMember('beta'), { avoid: ['beta'] }, 'it refused or gave up the item before'],
    [
      'away from its owner',
      createMember('alpha'),
      { avoid: ['alpha'] },
      'the item must run on a node other than its owner',
    ],
    ['another node is requested', createMember('beta'), { need: { ...need, on: 'gamma' } }, 'only gamma was asked for'],
    ['arch', createMember('beta'), { need: { ...need, arch: 'arm64' } }, 'arch is x64, arm64 is needed'],
    ['os', createMember('beta'), { need: { ...need, os: 'darwin' } }, 'os is linux, darwin is needed'],
    ['label', createMember('beta'), { need: { ...need, labels: ['gpu'] } }, 'it lacks the label gpu'],
    ['ability', createMember('beta'), { need: { ...need, abilities: ['criu'] } }, 'it lacks the ability criu'],
    ['too small', createMember('beta'), { need: { ...need, cpus: 3 } }, 'it has 2 slots, 3 are needed'],
    [
      'memory',
      createMember('beta'),
      { need: { ...need, memory_bytes: 7 * 1024 ** 3 } },
      'it has 6144 MiB of free memory, 7168 MiB is needed',
    ],
    [
      'no room on its disk',
      createMember('beta', { disk_free_bytes: 200 * 1024 ** 2 }),
      { need: { ...need, disk_bytes: 1024 ** 3 } },
      'needs 1.0 GiB of disk space, 200 MiB is free for guests',
    ],
    [
      'room on a disk',
      createMember('beta', { disk_free_bytes: 1024 }),
      { need: { ...need, disk_bytes: 1024 } },
      undefined,
    ],
    ['disk space that is not known', createMember('beta'), { need: { ...need, disk_bytes: 1024 ** 5 } }, undefined],
    [
      'below its reserve, also for what needs no room',
      createMember('beta', { disk_free_bytes: 0, slots_free: 0 }),
      {},
      'its disk is full: it takes no work',
    ],
    ['full', createMember('beta', { slots_free: 0 }), {}, 'its slots are taken: 0 of 2 free, 1 needed'],
  ])('%s', (_title, member, change, reason) => {
    expect(reasonFor(member, change)).toBe(reason);
  });
});

const anyState: fc.Arbitrary<Partial<State>> = fc.record({
  trit: fc.constantFrom(-1, -1, 0, 1),
  projected_ratio: fc.double({ min: 0, max: 1, noNaN: true }),
  cpus: fc.integer({ min: 1, max: 16 }),
  slots_free: fc.integer({ min: 0, max: 2 }),
  draining: fc.boolean(),
});
const anyMembers: fc.Arbitrary<readonly Member[]> = fc
  .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,4}$/), anyState), { selector: ([id]) => id, maxLength: 12 })
  .map((list) => list.map(([id, state]) => createMember(id, state)));

describe('rankReceivers', () => {
  it('gives each member either a place or exactly one reason; full members have a reason', () => {
    fc.assert(
      fc.property(anyMembers, (members) => {
        const { ranked, blocked, full } = rankReceivers(createTable(...members), ask, 0, meshRules);
        expect([...ranked, ...blocked.keys()].toSorted()).toEqual(members.map((one) => one.id).toSorted());
        expect(full.every((id) => blocked.has(id))).toBe(true);
      }),
    );
  });

  it('yields the same order, in whatever order the members were heard', () => {
    fc.assert(
      fc.property(
        anyMembers.chain((members) =>
          fc.tuple(fc.constant(members), fc.shuffledSubarray([...members], { minLength: members.length })),
        ),
        ([members, shuffled]) => {
          const here = rankReceivers(createTable(...members), ask, 0, meshRules).ranked;
          expect(rankReceivers(createTable(...shuffled), ask, 0, meshRules).ranked).toEqual(here);
        },
      ),
    );
  });

  it('puts a clearly less loaded receiver first', () => {
    const members = createTable(
      createMember('a', { projected_ratio: 0.25 }),
      createMember('b', { projected_ratio: 0.05 }),
    );
    for (let epoch = 1; epoch < 50; epoch += 1) {
      expect(rankReceivers(members, { ...ask, epoch }, 0, meshRules).ranked).toEqual(['b', 'a']);
    }
  });

  it('puts a node with three times the cpus first three times as often among near-equals', () => {
    const members = createTable(
      createMember('big', { cpus: 6, projected_ratio: 0.15 }),
      createMember('small', { cpus: 2 }),
    );
    const firsts = Array.from(
      { length: 4000 },
      (_, index) => rankReceivers(members, { ...ask, item: `j${index}` }, 0, meshRules).ranked[0],
    );
    const share = firsts.filter((id) => id === 'big').length / firsts.length;
    expect(share).toBeGreaterThan(0.7);
    expect(share).toBeLessThan(0.8);
  });
});

it('an owner counts as held PLUS up to the configured ratio', () => {
  const member = createMember('alpha', { trit: 1, load_ratio: 0.7 });
  const reason = (plusAbove: number): string | undefined =>
    findObstacle(member, ask, 0, { ...meshRules, plusAbove })?.text;
  expect([reason(0.7), reason(0.69)]).toEqual([undefined, 'it is PLUS (overloaded)']);
});

describe('findRank', () => {
  it('returns the place in the ranking, as far as it counts', () => {
    fc.assert(
      fc.property(anyMembers, fc.integer({ min: 0, max: 12 }), (all, most) => {
        const members = createTable(...all);
        const { ranked } = rankReceivers(members, ask, 0, meshRules);
        for (const { id } of all) {
          expect(findRank(members, id, ask, 0, meshRules)).toBe(ranked.indexOf(id));
          expect(findRank(members, id, ask, 0, meshRules, most)).toBe(Math.min(most, ranked.indexOf(id)));
        }
      }),
    );
  });

  it('returns -1 for an unknown node', () => {
    expect(findRank(createTable(createMember('beta')), 'gamma', ask, 0, meshRules)).toBe(-1);
  });
});

describe('countDue', () => {
  it('returns how many ranks have waited long enough', () => {
    expect([0, 39, 40, 199, 200, 280].map((ms) => countDue(ms, 40))).toEqual([1, 1, 2, 3, 4, 5]);
    expect(countDue(0, 0)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('claimDelayMs', () => {
  it('lets the first three follow closely, and the others leave them time to be acked', () => {
    expect([0, 1, 2, 3, 4].map((rank) => claimDelayMs(rank, 40))).toEqual([0, 40, 80, 200, 280]);
  });
});
