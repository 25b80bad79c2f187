/** Claims and acks: the only place where a receiver is chosen. */
import { describe, expect, it } from 'vitest';
import type { ItemInput } from '../../../src/core/owner/inputs.js';
import { stepOwner } from '../../../src/core/owner/step.js';
import { instant, ownerRules } from '../../support/samples.js';
import { acked, bundle, chosen, claim, feed, offered, pass, progress, restartable, submit } from './owner-run.js';

describe('a claim', () => {
  it('of rank 0 is acked at once, and journalled before that', () => {
    const after = feed(offered(), claim('beta', 0));
    expect(after.state).toMatchObject({ phase: 'acked', receiver: 'beta', epoch: 1, attempts: 1 });
    expect(after.effects).toEqual(['persist acked', 'ack 1 to beta', 'status acked']);
  });

  it('is acked only after the files to fetch are shared', () => {
    const staged = feed(submit({ inputs: ['/a'] }), { type: 'ItemStaged', bundle, image: false });
    const after = feed(feed(staged, chosen), claim('beta', 0));
    expect(after.effects).toEqual(['persist acked', 'share 1 with beta', 'ack 1 to beta', 'status acked']);
  });

  it('of a later rank waits for a better one', () => {
    const waiting = feed(offered(), claim('gamma', 1));
    expect(waiting).toMatchObject({ effects: [], state: { phase: 'offered' } });
    expect(feed(waiting, claim('beta', 0), 20).effects).toContain('ack 1 to beta');
    expect(pass(waiting, 50).effects).toContain('ack 1 to gamma');
  });

  it('with the best rank wins within the window, then the one with the least load', () => {
    const three = feed(feed(feed(offered(), claim('delta', 2)), claim('gamma', 1, 1, 0.3)), claim('beta', 1, 1, 0.2));
    expect(pass(three, 50).effects).toContain('ack 1 to beta');
  });

  it('just before the end of a round is acked when the round ends', () => {
    const late = feed(offered(), claim('gamma', 1), 980);
    expect(pass(late, 1000)).toMatchObject({ state: { phase: 'acked', receiver: 'gamma', epoch: 1 } });
  });

  it.each<[string, ItemInput]>([
    ['an epoch that is over', claim('beta', 0, 0)],
    ['an epoch to come', claim('beta', 0, 2)],
  ])('of %s changes nothing', (_title, input) => {
    const run = offered();
    const after = feed(run, input);
    expect(after.state).toBe(run.state);
    expect(after.effects).toEqual([]);
  });

  it('is not acked twice in one epoch', () => {
    const run = acked();
    const after = feed(run, claim('gamma', 0));
    expect(after.state).toBe(run.state);
    expect(after.effects).toEqual([]);
  });

  it('from a member that the offer leaves out is ignored', () => {
    const away = offered({ place: 'away' });
    expect(feed(away, claim('alpha', 0)).state.phase).toBe('offered');
    expect(feed(away, claim('beta', 0)).state.phase).toBe('acked');
  });

  it('for an item that names a node is acked to that node only', () => {
    const pinned = offered({ need: { cpus: 1, labels: [], abilities: [], on: 'gamma' } });
    expect(feed(pinned, claim('beta', 0)).state.phase).toBe('offered');
    expect(feed(pinned, claim('gamma', 0)).state.receiver).toBe('gamma');
    expect(feed(offered({ place: 'here' }), claim('beta', 0)).state.phase).toBe('offered');
  });
});

describe('the ack', () => {
  it('is repeated until the first progress arrives', () => {
    expect(pass(acked(), 100).effects).toEqual(['ack 1 to beta']);
    const heard = feed(acked(), progress('fetching', 1), 50);
    expect(heard.effects).toEqual(['lease 1 to beta: hold 1']);
    expect(pass(heard, 150).effects).toEqual([]);
  });

  it('does not extend the lease when repeated', () => {
    let run = acked();
    for (let ms = 100; ms < 8000; ms += 100) run = pass(run, ms);
    expect(run.state).toMatchObject({ phase: 'acked', answeredAt: 0 });
    expect(pass(run, 8000).state).toMatchObject({ phase: 'queued', receiver: null });
  });
});

describe('the command of a once item', () => {
  it('must not be stopped and started again by its receiver', () => {
    const { effects } = stepOwner(
      offered(restartable({ retry: 'once' })).state,
      claim('beta', 0),
      instant(0),
      ownerRules,
    );
    expect(effects).toMatchObject([{}, { kind: 'ack', body: { command: { migrate: 'never' } } }, {}]);
  });
});
