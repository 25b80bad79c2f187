/** A node whose broker is away: who is a candidate, and what is said of those who are none. */
import { describe, expect, it } from 'vitest';
import { findRank, rankReceivers, type Ask } from '../../src/core/election.js';
import type { MeshRules } from '../../src/core/member.js';
import { chooseOffers, type OfferingFacts } from '../../src/core/offering.js';
import type { Trit } from '../../src/protocol/messages.js';
import { submit } from './owner/owner-run.js';
import { createMember, createView, meshRules, need } from './samples.js';

const reason = 'the broker is away (connection refused at mqtt://lab:1883)';
const alone: MeshRules = { ...meshRules, alone: { self: 'alpha', reason } };
const ask: Ask = { owner: 'alpha', item: 'j1', epoch: 1, need, avoid: [], deferred: false };

function meet(trit: Trit, ratio: number) {
  return createView(
    createMember('alpha', { trit, load_ratio: ratio, projected_ratio: ratio }),
    createMember('beta', { projected_ratio: 0 }),
    createMember('gamma', { projected_ratio: 0 }),
  );
}

describe('the ranking without the broker', () => {
  it('has the node itself alone, first and at once, however good the others were', () => {
    const view = meet(0, 0.5);
    expect(findRank(view, 'alpha', ask, 0, meshRules)).toBe(2);
    expect(findRank(view, 'alpha', ask, 0, alone)).toBe(0);
    expect(rankReceivers(view, ask, 0, alone)).toEqual({
      ranked: ['alpha'],
      full: [],
      blocked: new Map([
        ['beta', `it cannot be reached: ${reason}`],
        ['gamma', `it cannot be reached: ${reason}`],
      ]),
    });
  });

  it('tells what lasts longer first: what a member lacks, it lacks with the broker too', () => {
    const want = { ...ask, need: { ...need, labels: ['gpu'] } };
    expect(rankReceivers(meet(0, 0.5), want, 0, alone).blocked.get('beta')).toBe('it lacks the label gpu');
  });
});

describe('chooseOffers without the broker', () => {
  const facts: OfferingFacts = {
    self: 'alpha',
    view: meet(0, 0.5),
    mesh: alone,
    now: 0,
    trit: 0,
    direction: 'rest',
    rebalance: 'pairs',
    outstanding: 0,
    standing: 0,
  };

  it('offers to itself what it may run', () => {
    const [offering] = chooseOffers([submit().state], facts);
    expect(offering).toMatchObject({ offer: true, reason: 'submitted; alpha is in sight' });
  });

  it.each<[string, Parameters<typeof submit>[0], Trit, string]>([
    ['it is PLUS', {}, 1, 'it is PLUS (overloaded)'],
    ['it is to run elsewhere', { place: 'away' }, 0, 'it is to run away from its owner'],
    ['it is for another', { need: { ...need, on: 'beta' } }, 0, 'only beta was asked for'],
    ['a label is missing', { need: { ...need, labels: ['gpu'] } }, 0, 'it lacks the label gpu'],
  ])('says the broker and the own obstacle when %s', (_title, item, trit, obstacle) => {
    const [offering] = chooseOffers([submit(item).state], { ...facts, trit, view: meet(trit, 0.9) });
    expect(offering).toMatchObject({ offer: false, reason: `${reason}, so only alpha could take it: ${obstacle}` });
  });
});
