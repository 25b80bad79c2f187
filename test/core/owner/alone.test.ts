/** The broker goes away during a round: which node may get the item then. */
import { describe, expect, it } from 'vitest';
import type { ItemInput } from '../../../src/core/owner/inputs.js';
import { stepOwner } from '../../../src/core/owner/step.js';
import { describeEffects } from '../../support/effect-text.js';
import { instant, ownerRules } from '../../support/samples.js';
import { acked, chosen, claim, feed, offered, pass, progress, running, submit } from './owner-run.js';

const lost: ItemInput = { type: 'BrokerLost' };

function feedAlone(run: ReturnType<typeof offered>, input: ItemInput): ReturnType<typeof offered> {
  const { state, effects } = stepOwner(run.state, input, instant(run.ms), { ...ownerRules, isAlone: true });
  return { state, effects: describeEffects(effects), raw: effects, ms: run.ms };
}

describe('an owner whose broker goes away', () => {
  it('ends a round without an ack, and offers again with the next epoch', () => {
    const after = feedAlone(feed(offered(), claim('gamma', 1)), lost);
    expect(after.state).toMatchObject({ phase: 'queued', round: null, receiver: null, reason: 'the broker went away' });
    expect(feedAlone(after, chosen).state).toMatchObject({ phase: 'offered', epoch: 2 });
  });

  it('acks its own claim at once, whatever others claimed before', () => {
    const claimed = feed(feed(offered(), claim('gamma', 1)), claim('alpha', 2));
    const after = feedAlone(claimed, lost);
    expect(after.state).toMatchObject({ phase: 'acked', receiver: 'alpha', epoch: 1 });
    expect(after.effects).toEqual(['persist acked', 'ack 1 to alpha', 'status acked']);
  });

  it('acks only itself, since no other node can hear it', () => {
    const late = feedAlone(offered(), claim('beta', 0));
    expect(late).toMatchObject({ effects: [], state: { phase: 'offered' } });
    expect(pass(feedAlone(offered(), claim('gamma', 1)), 50)).toMatchObject({ state: { phase: 'offered' } });
    expect(feedAlone(late, claim('alpha', 0)).effects).toContain('ack 1 to alpha');
  });

  it('ignores a late claim of the ended round', () => {
    const again = feedAlone(feedAlone(offered(), lost), chosen);
    expect(feed(again, claim('beta', 0, 1))).toMatchObject({ effects: [], state: { phase: 'offered', epoch: 2 } });
  });

  it.each([
    ['queued', submit()],
    ['acked', acked()],
    ['running', running()],
  ])('leaves an item alone that is %s', (_phase, run) => {
    expect(feedAlone(run, lost)).toMatchObject({ state: run.state, effects: [] });
    expect(feed(run, progress('running', 2)).state.receiver).toBe(run.state.receiver);
  });
});
