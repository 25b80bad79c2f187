/** The receiver stage: a claim is repeated by exactly those nodes that would make it again. */
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../../src/core/effects.js';
import { DEFAULT_TRIT_RULES } from '../../../src/core/mesh/trit.js';
import { findObstacle } from '../../../src/core/mesh/ranking.js';
import { placementOf } from '../../../src/core/placement/open-offers.js';
import { createGuests } from '../../../src/pipelines/receiver/guests.js';
import type { State } from '../../../src/protocol/messages.js';
import { createMember, createOffer, createState, meshRules, receiverRules } from '../../support/samples.js';
import { createManualClock } from '../../support/manual-clock.js';

const SELF = receiverRules.self;

/** The claims that a node in this state publishes: the first one, and those for a repeated offer. */
function claimsOf(state: State, owner: string, deferred: boolean): number {
  const published: Effect[] = [];
  let now = createState({ trit: -1 });
  const guests = createGuests({
    clock: createManualClock(),
    states: new Map(),
    rules: () => receiverRules,
    mesh: () => meshRules,
    state: () => now,
    obstacle: () => undefined,
    perform: (_subject, effects) => published.push(...effects),
    changed: () => undefined,
  });
  const offer = createOffer({ deferred });
  const standing = { owner, item: 'j1', offer, endsAt: 1000, ableSince: 0 };
  guests.handle({ type: 'ClaimChosen', claim: { standing, rank: 0 } });
  now = state;
  guests.handle({ type: 'OfferHeard', owner, item: 'j1', offer });
  return published.filter((effect) => effect.type === 'Publish' && effect.kind === 'claim').length;
}

describe('a repeated offer', () => {
  const held = { trit: 1, load_ratio: DEFAULT_TRIT_RULES.plusAbove } as const;
  it.each([
    ['by a MINUS node', { trit: -1 }, 'other', false, 2],
    ['not by an ERGODIC node', { trit: 0 }, 'other', false, 1],
    ['by an ERGODIC owner', { trit: 0 }, SELF, false, 2],
    ['not by an ERGODIC owner that deferred it', { trit: 0 }, SELF, true, 1],
    ['by an owner that is only held PLUS', held, SELF, false, 2],
    ['not by another node that is only held PLUS', held, 'other', false, 1],
    ['not by an owner that is overloaded', { trit: 1, load_ratio: 2 }, SELF, false, 1],
  ] as const)('is claimed again %s', (_title, change, owner, deferred, claims) => {
    const state = createState(change);
    expect(claimsOf(state, owner, deferred)).toBe(claims);
    // The ranking accepts the same nodes.
    const request = placementOf({ owner, item: 'j1', offer: createOffer({ deferred }) });
    const obstacle = findObstacle(createMember(SELF, change), request, 0, meshRules);
    expect(obstacle === undefined).toBe(claims === 2);
  });
});
