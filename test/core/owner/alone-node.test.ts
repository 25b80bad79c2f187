/** A node whose broker is away: which members are candidates, and the reasons why others are not. */
import { explain } from '../../../src/protocol/reasons.js';
import { describe, expect, it } from 'vitest';
import { findRank, rankReceivers, type PlacementRequest } from '../../../src/core/mesh/ranking.js';
import type { MeshRules } from '../../../src/core/mesh/member.js';
import { chooseOffers, type OfferContext } from '../../../src/core/placement/offering.js';
import type { Trit } from '../../../src/protocol/messages.js';
import { submit } from './owner-run.js';
import { createMember, createTable, meshRules, need } from '../../support/samples.js';

const reason = 'the broker is away (connection refused at mqtt://lab:1883)';
const alone: MeshRules = { ...meshRules, alone: { self: 'alpha', reason } };
const ask: PlacementRequest = { owner: 'alpha', item: 'j1', epoch: 1, need, avoid: [], deferred: false };

function meet(trit: Trit, ratio: number) {
  return createTable(
    createMember('alpha', { trit, load_ratio: ratio, projected_ratio: ratio }),
    createMember('beta', { projected_ratio: 0 }),
    createMember('gamma', { projected_ratio: 0 }),
  );
}

describe('the ranking without the broker', () => {
  it('contains only the node itself, however good the others were', () => {
    const members = meet(0, 0.5);
    expect(findRank(members, 'alpha', ask, 0, meshRules)).toBe(2);
    expect(findRank(members, 'alpha', ask, 0, alone)).toBe(0);
    expect(rankReceivers(members, ask, 0, alone)).toEqual({
      ranked: ['alpha'],
      full: [],
      blocked: new Map([
        ['beta', explain('out-of-reach', reason)],
        ['gamma', explain('out-of-reach', reason)],
      ]),
    });
  });

  it('gives the more permanent reason first: what a member lacks, it also lacks with the broker', () => {
    const want = { ...ask, need: { ...need, labels: ['gpu'] } };
    expect(rankReceivers(meet(0, 0.5), want, 0, alone).blocked.get('beta')?.text).toBe('it lacks the label gpu');
  });
});

describe('chooseOffers without the broker', () => {
  const facts: OfferContext = {
    self: 'alpha',
    members: meet(0, 0.5),
    mesh: alone,
    now: 0,
    trit: 0,
    direction: 'rest',
    rebalance: 'pairs',
    outstanding: 0,
    standing: 0,
  };

  it('offers an item that the node itself may run', () => {
    const [offering] = chooseOffers([submit().state], facts);
    expect(offering).toMatchObject({ offer: true, reason: 'submitted; alpha is in sight' });
  });

  it.each<[string, Parameters<typeof submit>[0], Trit, string]>([
    ['it is PLUS', {}, 1, 'it is PLUS (overloaded)'],
    ['the item must run elsewhere', { place: 'away' }, 0, 'the item must run on a node other than its owner'],
    ['the item is for another node', { need: { ...need, on: 'beta' } }, 0, 'only beta was asked for'],
    ['a label is missing', { need: { ...need, labels: ['gpu'] } }, 0, 'it lacks the label gpu'],
  ])('names the broker and the own obstacle when %s', (_title, item, trit, obstacle) => {
    const [offering] = chooseOffers([submit(item).state], { ...facts, trit, members: meet(trit, 0.9) });
    expect(offering).toMatchObject({ offer: false, reason: `${reason}, so only alpha could take it: ${obstacle}` });
  });
});
