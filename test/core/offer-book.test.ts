/** The offers that a node has heard, and which it claims now. */
import { describe, expect, test } from 'vitest';
import { chooseClaims, noteOffer, type ClaimingFacts, type OfferBook } from '../../src/core/offer-book.js';
import { createMember, createOffer, createView, meshRules, need } from './samples.js';

const view = createView(
  createMember('alpha', { trit: 1, load_ratio: 0.9 }),
  createMember('beta'),
  createMember('gamma', { projected_ratio: 0.25 }),
);

function factsOf(self: string, change: Partial<ClaimingFacts> = {}): ClaimingFacts {
  return {
    self,
    view,
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

function bookOf(...items: readonly string[]): OfferBook {
  const book: OfferBook = new Map();
  for (const item of items) noteOffer(book, 'alpha', item, createOffer(), 0);
  return book;
}

function claimsOf(
  book: OfferBook,
  facts: ClaimingFacts,
): { readonly items: readonly string[]; readonly lookAt: number | undefined } {
  const { claims, lookAt } = chooseClaims(book, facts);
  return { items: claims.map(({ standing, rank }) => `${standing.item} rank ${rank}`), lookAt };
}

describe('claiming', () => {
  test('the first in rank claims at once, the second a step later', () => {
    expect(claimsOf(bookOf('j1'), factsOf('beta'))).toEqual({ items: ['j1 rank 0'], lookAt: undefined });
    const book = bookOf('j1');
    expect(claimsOf(book, factsOf('gamma'))).toEqual({ items: [], lookAt: 40 });
    expect(claimsOf(book, factsOf('gamma', { now: 40 })).items).toEqual(['j1 rank 1']);
  });

  test('a node that is no receiver claims nothing', () => {
    expect(claimsOf(bookOf('j1'), factsOf('alpha'))).toEqual({ items: [], lookAt: undefined });
  });

  test('it never promises more slots than it has, oldest offers first', () => {
    expect(claimsOf(bookOf('j1', 'j2', 'j3'), factsOf('beta')).items).toEqual(['j1 rank 0', 'j2 rank 0']);
    expect(claimsOf(bookOf('j1'), factsOf('beta', { slotsFree: 0 })).items).toEqual([]);
  });

  test('it never promises more room on its disk than it has, and room that is not known keeps it from nothing', () => {
    const large = { need: { ...need, disk_bytes: 600 } };
    const bookOfLarge = (): OfferBook => {
      const book: OfferBook = new Map();
      for (const item of ['j1', 'j2']) noteOffer(book, 'alpha', item, createOffer(large), 0);
      noteOffer(book, 'alpha', 'j3', createOffer(), 0);
      return book;
    };
    const many = { slotsFree: 9 };
    expect(claimsOf(bookOfLarge(), factsOf('beta', { ...many, diskFree: 1000 })).items).toEqual([
      'j1 rank 0',
      'j3 rank 0',
    ]);
    expect(claimsOf(bookOfLarge(), factsOf('beta', { ...many, diskFree: 1200 })).items).toHaveLength(3);
    expect(claimsOf(bookOfLarge(), factsOf('beta', many)).items).toHaveLength(3);
  });

  test('an owner of an earlier version names no need: what is fetched from it counts', () => {
    const book: OfferBook = new Map();
    noteOffer(book, 'alpha', 'j1', createOffer({ size_bytes: 1001 }), 0);
    expect(claimsOf(book, factsOf('beta', { diskFree: 1000 })).items).toEqual([]);
    expect(claimsOf(book, factsOf('beta', { diskFree: 1001 })).items).toEqual(['j1 rank 0']);
  });

  test('an item that it holds is not claimed: two must never run here at once', () => {
    expect(claimsOf(bookOf('j1', 'j2'), factsOf('beta', { holds: (_owner, item) => item === 'j1' })).items).toEqual([
      'j2 rank 0',
    ]);
  });

  test('what the policy does not accept is not claimed', () => {
    expect(claimsOf(bookOf('j1'), factsOf('beta', { accepts: () => false })).items).toEqual([]);
  });

  test('an offer that ended is dropped', () => {
    const book = bookOf('j1');
    expect(claimsOf(book, factsOf('beta', { now: 1000 })).items).toEqual([]);
    expect(book.size).toBe(0);
  });

  test('the delay counts from when it was able', () => {
    const book = bookOf('j1');
    chooseClaims(book, factsOf('gamma', { slotsFree: 0 }));
    expect(claimsOf(book, factsOf('gamma', { now: 500 }))).toEqual({ items: [], lookAt: 540 });
    expect(claimsOf(book, factsOf('gamma', { now: 540 })).items).toEqual(['j1 rank 1']);
  });
});

describe('noting', () => {
  test('an older epoch changes nothing, a newer one begins anew', () => {
    const book: OfferBook = new Map();
    noteOffer(book, 'alpha', 'j1', createOffer({ epoch: 2 }), 0);
    noteOffer(book, 'alpha', 'j1', createOffer({ epoch: 1 }), 0);
    expect(book.get('alpha/j1')?.offer.epoch).toBe(2);
    chooseClaims(book, factsOf('gamma'));
    noteOffer(book, 'alpha', 'j1', createOffer({ epoch: 3 }), 100);
    expect(book.get('alpha/j1')).toMatchObject({ endsAt: 1100, ableSince: undefined });
  });

  test('a repeat keeps its place in the row', () => {
    const book = bookOf('j1', 'j2');
    chooseClaims(book, factsOf('gamma'));
    noteOffer(book, 'alpha', 'j1', createOffer(), 50);
    expect([...book.keys()]).toEqual(['alpha/j1', 'alpha/j2']);
    expect(book.get('alpha/j1')).toMatchObject({ endsAt: 1050, ableSince: 0 });
  });

  test('the book is bounded: ended offers make room, standing ones stay', () => {
    const book: OfferBook = new Map();
    for (let index = 0; index < 2048; index += 1) noteOffer(book, 'alpha', `j${index}`, createOffer(), 0);
    noteOffer(book, 'alpha', 'late', createOffer(), 999);
    expect(book.has('alpha/late')).toBe(false);
    noteOffer(book, 'alpha', 'late', createOffer(), 1000);
    expect([...book.keys()]).toEqual(['alpha/late']);
  });
});
