/** The choices of an owner about its items: offer, wake, shed. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chooseOffers,
  isBehindOthers,
  type OfferContext,
  type Offering,
} from '../../../src/core/placement/offering.js';
import { slotsOf, type OwnedItem } from '../../../src/core/owner/owned-item.js';
import { chooseShed, type RunningHere, type ShedContext } from '../../../src/core/placement/shedding.js';
import { chooseWakes, type WakeContext } from '../../../src/core/placement/waking.js';
import type { Direction } from '../../../src/protocol/messages.js';
import { chosen, claim, feed, progress, restartable, submit } from '../owner/owner-run.js';
import { command, createMember, createTable, meshRules, need } from '../../support/samples.js';

const members = createTable(
  createMember('alpha', { trit: 1, load_ratio: 0.9 }),
  createMember('beta', { slots: 2, slots_free: 2 }),
);

describe('chooseOffers', () => {
  const facts: OfferContext = {
    self: 'alpha',
    members,
    mesh: meshRules,
    now: 0,
    trit: 1,
    direction: 'rest',
    rebalance: 'pairs',
    outstanding: 0,
    standing: 0,
  };

  it.each<[string, Parameters<typeof submit>[0], Partial<OfferContext>, boolean, string]>([
    ['a pair of an item and a receiver is enough', {}, {}, true, 'its owner is PLUS; beta is in sight'],
    [
      'the strict seed sheds above 0 only',
      {},
      { rebalance: 'gf3' },
      false,
      'rebalance is gf3 and the mesh sum is not above 0',
    ],
    [
      'above 0 the strict seed sheds',
      {},
      { rebalance: 'gf3', direction: 'shed' },
      true,
      'its owner is PLUS; beta is in sight',
    ],
    ['an owner that is not PLUS offers', {}, { rebalance: 'gf3', trit: 0 }, true, 'submitted; beta is in sight'],
    ['no receiver', { need: { ...need, cpus: 9 } }, {}, false, 'no receiver: see why each node does not take it'],
    ['a full window', {}, { outstanding: 1, standing: 4 }, false, 'waits behind other items of this owner'],
    ['a window full of others: each owner has one', {}, { standing: 4 }, true, 'its owner is PLUS; beta is in sight'],
  ])('%s', (_title, change, more, offer, reason) => {
    const [offering] = chooseOffers([submit(change).state], { ...facts, ...more });
    expect(offering).toMatchObject({ offer, reason });
  });

  it('offers an item to a full receiver, whose next free slot is worth waiting for', () => {
    const full = createTable(createMember('beta', { slots_free: 0 }));
    expect(chooseOffers([submit().state], { ...facts, members: full })[0]).toMatchObject({ offer: true });
  });

  it('names each node that does not take an item, with its reason', () => {
    const [offering] = chooseOffers([submit({ need: { ...need, arch: 'arm64' } }).state], facts);
    expect(offering).toMatchObject({
      blocked: [
        { node: 'alpha', reason: 'arch is x64, arm64 is needed' },
        { node: 'beta', reason: 'arch is x64, arm64 is needed' },
      ],
    });
  });

  it('passes over an item that waits for the same reason once, and again where its code was lost', () => {
    const full = { ...facts, outstanding: 1, standing: 4 };
    const { state } = submit();
    const [offering] = chooseOffers([state], full);
    if (offering?.offer !== false) throw new Error('it was offered');
    const waiting = { ...state, ...offering, spec: state.spec };
    expect(waiting.code).toBe('behind-others');
    expect(chooseOffers([waiting], full)).toEqual([]);
    expect(chooseOffers([{ ...waiting, code: undefined }], full)).toMatchObject([{ code: 'behind-others' }]);
  });

  it('does not offer a woken item once the sum is no longer negative', () => {
    const woken = feed(submit({ deferred: true }), { type: 'WakeChosen', reason: '' }).state;
    expect(chooseOffers([woken], facts)[0]).toMatchObject({ offer: false });
    expect(chooseOffers([woken], { ...facts, direction: 'wake' })[0]).toMatchObject({ offer: true });
  });

  it('offers twice as many slots as the receivers have, oldest first', () => {
    const queue = Array.from({ length: 12 }, (_, index) => submit({ id: `j${index}` }).state);
    const offered = chooseOffers(queue, facts).filter((one) => one.offer);
    expect(offered.map((one) => one.item)).toEqual(['j0', 'j1', 'j2', 'j3']);
  });

  it('goes through the queue no further than there is room, and then to those that do not know it', () => {
    const queue = Array.from({ length: 1000 }, (_, index) => behind(`j${index}`));
    const fresh = submit({ id: 'fresh' }).state;
    const looked: string[] = [];
    const offerings = chooseOffers(watchQueue(queue, looked), { ...facts, outstanding: 1, standing: 2 }, [fresh]);
    expect(offerings.map(({ item, offer }) => [item, offer])).toEqual([
      ['j0', true],
      ['j1', true],
      ['fresh', false],
    ]);
    expect(looked).toEqual(['j0', 'j1']);
    const none: string[] = [];
    expect(chooseOffers(watchQueue(queue, none), { ...facts, outstanding: 1, standing: 4 }, [])).toEqual([]);
    expect(none).toEqual([]);
  });

  it('chooses the same whether or not it knows which items are unexplained', () => {
    const kinds = fc.constantFrom('behind', 'fresh', 'misfit', 'pausing');
    const open = fc.record({ outstanding: fc.integer({ min: 0, max: 5 }), standing: fc.integer({ min: 0, max: 5 }) });
    fc.assert(
      fc.property(fc.array(kinds, { maxLength: 8 }), open, (kindsOfQueue, counts) => {
        const queue = kindsOfQueue.map((kind, index) => waiting(kind, `j${index}`));
        const unexplained = queue.filter((state) => !isBehindOthers(state));
        const chosenOf = (offerings: readonly Offering[]): readonly string[] =>
          offerings.map((one) => `${one.item} ${one.offer} ${one.reason}`);
        const context = { ...facts, ...counts };
        expect(chosenOf(chooseOffers(queue, context, unexplained))).toEqual(chosenOf(chooseOffers(queue, context)));
      }),
    );
  });

  /** An item that was passed over because others are ahead of it. */
  function behind(item: string): OwnedItem {
    const { state } = submit({ id: item });
    const [offering] = chooseOffers([state], { ...facts, outstanding: 1, standing: 4 });
    if (offering?.offer !== false) throw new Error('it was offered');
    return { ...state, reason: offering.reason, code: offering.code };
  }

  function waiting(kind: 'behind' | 'fresh' | 'misfit' | 'pausing', item: string): OwnedItem {
    if (kind === 'behind') return behind(item);
    const { state } = submit({ id: item, ...(kind === 'misfit' ? { need: { ...need, arch: 'arm64' } } : {}) });
    return kind === 'pausing' ? { ...state, notBefore: 1000 } : state;
  }

  function* watchQueue(queue: readonly OwnedItem[], looked: string[]): Generator<OwnedItem> {
    for (const state of queue) {
      looked.push(state.spec.id);
      yield state;
    }
  }
});

describe('chooseWakes', () => {
  const facts: WakeContext = { self: 'alpha', members, mesh: meshRules, now: 0, direction: 'wake', slotsAsked: 0 };
  const asleep = (item: string, cpus = 1): ReturnType<typeof submit>['state'] =>
    submit({ id: item, deferred: true, need: { ...need, cpus } }).state;

  it.each<Direction>(['rest', 'shed'])('at %s nothing wakes', (direction) => {
    expect(chooseWakes([asleep('j1')], { ...facts, direction })).toEqual([]);
  });

  it('wakes no more items than there are free slots, oldest first', () => {
    expect(
      chooseWakes(
        ['j1', 'j2', 'j3'].map((item) => asleep(item)),
        facts,
      ),
    ).toEqual(['j1', 'j2']);
    expect(chooseWakes([asleep('j1'), asleep('j2')], { ...facts, slotsAsked: 1 })).toEqual(['j1']);
  });

  it('never wakes more slots than are free, whatever is deferred', () => {
    const members = fc.array(
      fc.record({
        slots_free: fc.integer({ min: 0, max: 4 }),
        trit: fc.constantFrom(-1 as const, 0 as const, 1 as const),
      }),
      { maxLength: 5 },
    );
    const sleepers = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 12 });
    fc.assert(
      fc.property(members, sleepers, fc.integer({ min: 0, max: 4 }), (states, sizes, slotsAsked) => {
        const mesh = createTable(...states.map((state, index) => createMember(`n${index}`, { ...state, slots: 4 })));
        const items = sizes.map((cpus, index) => asleep(`j${index}`, cpus));
        const woken = chooseWakes(items, { ...facts, members: mesh, slotsAsked });
        const slots = items.filter((one) => woken.includes(one.spec.id)).reduce((sum, one) => sum + slotsOf(one), 0);
        const free = states.filter((one) => one.trit === -1).reduce((sum, one) => sum + one.slots_free, 0);
        expect(slots + slotsAsked).toBeLessThanOrEqual(Math.max(free, slotsAsked));
      }),
    );
  });
});

describe('chooseShed', () => {
  const facts: ShedContext = {
    self: 'alpha',
    members,
    mesh: meshRules,
    moves: { projectedMax: 0.65, gainMin: 0.1, cooldownMs: 60_000, itemRestMs: 600_000 },
    now: 1_000,
    trit: 1,
    loadRatio: 1.2,
    direction: 'shed',
    rebalance: 'pairs',
    lastMoveAt: Number.NEGATIVE_INFINITY,
    moving: false,
    excluded: [],
    paceTo: () => undefined,
  };

  function runningHere(item: string, score: number, change: Parameters<typeof submit>[0] = restartable()): RunningHere {
    const held = feed(feed(submit({ id: item, ...change }), chosen), claim('alpha', 0));
    const { state } = feed(held, progress('running', 1, 1, 'alpha'));
    return { state, score, memoryBytes: 100_000_000, ranMs: 60_000 };
  }

  const frozen = (ranMs: number): RunningHere => ({
    ...runningHere('j1', 80, { command: { ...command, migrate: 'checkpoint' } }),
    ranMs,
  });

  it('chooses the heaviest item that may move', () => {
    const shedding = chooseShed(
      [runningHere('light', 10), runningHere('fixed', 90, {}), runningHere('heavy', 80)],
      facts,
    );
    expect(shedding).toEqual({
      shed: true,
      item: 'heavy',
      reason: 'this node is PLUS at 1.20, beta would be at 0.60',
      excluded: [],
    });
  });

  it('moves a process that has run long enough to pay for its image', () => {
    expect(chooseShed([frozen(60_000)], facts)).toMatchObject({ shed: true });
  });

  it('looks for another receiver where a move made things worse', () => {
    const three = createTable(
      createMember('alpha', { trit: 1, load_ratio: 0.9 }),
      createMember('beta'),
      createMember('gamma', { projected_ratio: 0.12 }),
    );
    expect(chooseShed([tired], { ...facts, members: three, excluded: ['beta'] })).toMatchObject({
      shed: true,
      reason: 'this node is PLUS at 1.20, gamma would be at 0.62',
      excluded: ['beta'],
    });
  });

  const tired = runningHere('j1', 80);
  it.each<[string, readonly RunningHere[], Partial<ShedContext>, string]>([
    ['a node that is not PLUS', [tired], { trit: 0 }, 'this node is not PLUS'],
    [
      'the strict seed at rest',
      [tired],
      { rebalance: 'gf3', direction: 'rest' },
      'rebalance is gf3 and the mesh sum is not above 0',
    ],
    ['another move under way', [tired], { moving: true }, 'one move at a time: another one is under way'],
    ['a very recent move', [tired], { lastMoveAt: 500 }, 'this node moved something too recently'],
    ['no running item', [], {}, 'nothing of this node runs here'],
    [
      'an item that must not stop',
      [runningHere('j1', 80, {})],
      {},
      'j1: it has started and was submitted with migrate: never',
    ],
    [
      'an item that was moved lately',
      [{ ...tired, state: { ...tired.state, movedAt: 0 } }],
      {},
      'j1: it was moved too recently',
    ],
    [
      'no receiver',
      [tired],
      { members: createTable(createMember('alpha', { trit: 1, load_ratio: 0.9 })) },
      'j1: no receiver is in sight',
    ],
    [
      'a receiver that would be too full',
      [tired],
      { members: createTable(createMember('beta', { projected_ratio: 0.2 })) },
      'j1: beta would be at 0.70, above 0.65',
    ],
    ['too little gain', [tired], { loadRatio: 0.65 }, 'j1: moving it to beta gains less than 0.1'],
    [
      'a young process with a large image',
      [frozen(5000)],
      {},
      'j1: moving it to beta does not pay: it takes about 4.5 s for 100 MB and gains 3.0 s (0.60 of load over the 5.0 s it may run on)',
    ],
    [
      'a slow line',
      [frozen(60_000)],
      { paceTo: (node) => (node === 'beta' ? 1_000_000 : undefined) },
      'j1: moving it to beta does not pay: it takes about 102 s for 100 MB and gains 36 s (0.60 of load over the 60 s it may run on)',
    ],
    [
      'a pair that was worse off',
      [tired],
      { excluded: ['beta'] },
      'j1: no receiver is in sight but beta, left alone for a while: the last move there made things worse',
    ],
  ])('%s: nothing moves', (_title, running, change, reason) => {
    expect(chooseShed(running, { ...facts, ...change })).toEqual({ shed: false, reason });
  });
});
