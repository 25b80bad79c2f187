/** The open offers that a node has heard, and which of them it claims. */
import { describe, expect, it } from 'vitest';
import {
  chooseClaims,
  recordOffer,
  type ClaimContext,
  type OpenOffers,
} from '../../../src/core/placement/open-offers.js';
import { createMember, createOffer, createTable, meshRules, need } from '../../support/samples.js';

const members = createTable(
  createMember('alpha', { trit: 1, load_ratio: 0.9 }),
  createMember('beta'),
  createMember('gamma', { projected_ratio: 0.25 }),
);

function contextOf(self: string, change: Partial<ClaimContext> = {}): ClaimContext {
  return {
    self,
    members,
    mesh: meshRules,
    now: 0,
    stepMs: 40,
    diskFree: undefined,
    slotsFree: 2,
    holds: () => false,
    accepts: () => true,
    ...change,
  };
}

function offersOf(...items: readonly string[]): OpenOffers {
  const offers: OpenOffers = new Map();
  for (const item of items) recordOffer(offers, 'alpha', item, createOffer(), 0);
  return offers;
}

function claimsOf(
  offers: OpenOffers,
  context: ClaimContext,
): { readonly items: readonly string[]; readonly lookAt: number | undefined } {
  const { claims, lookAt } = chooseClaims(offers, context);
  return { items: claims.map(({ standing, rank }) => `${standing.item} rank ${rank}`), lookAt };
}

describe('claiming', () => {
  it('happens at once for rank 0, one step later for rank 1', () => {
    expect(claimsOf(offersOf('j1'), contextOf('beta'))).toEqual({ items: ['j1 rank 0'], lookAt: undefined });
    const offers = offersOf('j1');
    expect(claimsOf(offers, contextOf('gamma'))).toEqual({ items: [], lookAt: 40 });
    expect(claimsOf(offers, contextOf('gamma', { now: 40 })).items).toEqual(['j1 rank 1']);
  });

  it('does not happen on a node that is not a receiver', () => {
    expect(claimsOf(offersOf('j1'), contextOf('alpha'))).toEqual({ items: [], lookAt: undefined });
  });

  it('never promises more slots than the node has, oldest offers first', () => {
    expect(claimsOf(offersOf('j1', 'j2', 'j3'), contextOf('beta')).items).toEqual(['j1 rank 0', 'j2 rank 0']);
    expect(claimsOf(offersOf('j1'), contextOf('beta', { slotsFree: 0 })).items).toEqual([]);
  });

  it('never promises more disk space than the node has; unknown space is no limit', () => {
    const large = { need: { ...need, disk_bytes: 600 } };
    const bookOfLarge = (): OpenOffers => {
      const offers: OpenOffers = new Map();
      for (const item of ['j1', 'j2']) recordOffer(offers, 'alpha', item, createOffer(large), 0);
      recordOffer(offers, 'alpha', 'j3', createOffer(), 0);
      return offers;
    };
    const many = { slotsFree: 9 };
    expect(claimsOf(bookOfLarge(), contextOf('beta', { ...many, diskFree: 1000 })).items).toEqual([
      'j1 rank 0',
      'j3 rank 0',
    ]);
    expect(claimsOf(bookOfLarge(), contextOf('beta', { ...many, diskFree: 1200 })).items).toHaveLength(3);
    expect(claimsOf(bookOfLarge(), contextOf('beta', many)).items).toHaveLength(3);
  });

  it('uses the fetched size if an earlier version names no need', () => {
    const offers: OpenOffers = new Map();
    recordOffer(offers, 'alpha', 'j1', createOffer({ size_bytes: 1001 }), 0);
    expect(claimsOf(offers, contextOf('beta', { diskFree: 1000 })).items).toEqual([]);
    expect(claimsOf(offers, contextOf('beta', { diskFree: 1001 })).items).toEqual(['j1 rank 0']);
  });

  it('leaves out an item that the node holds: two epochs must never run here at once', () => {
    expect(claimsOf(offersOf('j1', 'j2'), contextOf('beta', { holds: (_owner, item) => item === 'j1' })).items).toEqual(
      ['j2 rank 0'],
    );
  });

  it('leaves out what the policy does not accept', () => {
    expect(claimsOf(offersOf('j1'), contextOf('beta', { accepts: () => false })).items).toEqual([]);
  });

  it('drops an expired offer', () => {
    const offers = offersOf('j1');
    expect(claimsOf(offers, contextOf('beta', { now: 1000 })).items).toEqual([]);
    expect(offers.size).toBe(0);
  });

  it('counts the delay from when the node could take the item', () => {
    const offers = offersOf('j1');
    chooseClaims(offers, contextOf('gamma', { slotsFree: 0 }));
    expect(claimsOf(offers, contextOf('gamma', { now: 500 }))).toEqual({ items: [], lookAt: 540 });
    expect(claimsOf(offers, contextOf('gamma', { now: 540 })).items).toEqual(['j1 rank 1']);
  });
});

describe('recording', () => {
  it('ignores an older epoch and starts over with a newer one', () => {
    const offers: OpenOffers = new Map();
    recordOffer(offers, 'alpha', 'j1', createOffer({ epoch: 2 }), 0);
    recordOffer(offers, 'alpha', 'j1', createOffer({ epoch: 1 }), 0);
    expect(offers.get('alpha/j1')?.offer.epoch).toBe(2);
    chooseClaims(offers, contextOf('gamma'));
    recordOffer(offers, 'alpha', 'j1', createOffer({ epoch: 3 }), 100);
    expect(offers.get('alpha/j1')).toMatchObject({ endsAt: 1100, ableSince: undefined });
  });

  it('keeps the place of a repeated offer', () => {
    const offers = offersOf('j1', 'j2');
    chooseClaims(offers, contextOf('gamma'));
    recordOffer(offers, 'alpha', 'j1', createOffer(), 50);
    expect([...offers.keys()]).toEqual(['alpha/j1', 'alpha/j2']);
    expect(offers.get('alpha/j1')).toMatchObject({ endsAt: 1050, ableSince: 0 });
  });

  it('is bounded: expired offers are evicted, open ones stay', () => {
    const offers: OpenOffers = new Map();
    for (let index = 0; index < 2048; index += 1) recordOffer(offers, 'alpha', `j${index}`, createOffer(), 0);
    recordOffer(offers, 'alpha', 'late', createOffer(), 999);
    expect(offers.has('alpha/late')).toBe(false);
    recordOffer(offers, 'alpha', 'late', createOffer(), 1000);
    expect([...offers.keys()]).toEqual(['alpha/late']);
  });
});
