/** Who gets an item: the one place where a receiver is chosen. */
import { describe, expect, test } from 'vitest';
import type { OwnerInput } from '../../../src/core/owner/inputs.js';
import { stepOwner } from '../../../src/core/owner/step.js';
import { instant, ownerRules } from '../samples.js';
import { acked, bundle, chosen, claim, feed, offered, pass, progress, restartable, submit } from './owner-run.js';

describe('claims', () => {
  test('the first claim of rank 0 is acked at once, journalled before it is said', () => {
    const after = feed(offered(), claim('beta', 0));
    expect(after.state).toMatchObject({ phase: 'acked', receiver: 'beta', epoch: 1, attempts: 1 });
    expect(after.effects).toEqual(['persist acked', 'ack 1 to beta', 'status acked']);
  });

  test('what has to be fetched is shared before the ack is said', () => {
    const staged = feed(submit({ inputs: ['/a'] }), { type: 'ItemStaged', bundle, image: false });
    const after = feed(feed(staged, chosen), claim('beta', 0));
    expect(after.effects).toEqual(['persist acked', 'share 1 with beta', 'ack 1 to beta', 'status acked']);
  });

  test('a claim of a later rank waits for a better one', () => {
    const waiting = feed(offered(), claim('gamma', 1));
    expect(waiting).toMatchObject({ effects: [], state: { phase: 'offered' } });
    expect(feed(waiting, claim('beta', 0), 20).effects).toContain('ack 1 to beta');
    expect(pass(waiting, 50).effects).toContain('ack 1 to gamma');
  });

  test('of several claims in the window the best rank wins, then the least load', () => {
    const three = feed(feed(feed(offered(), claim('delta', 2)), claim('gamma', 1, 1, 0.3)), claim('beta', 1, 1, 0.2));
    expect(pass(three, 50).effects).toContain('ack 1 to beta');
  });

  test('a claim in the last moment of a round is taken when the round ends', () => {
    const late = feed(offered(), claim('gamma', 1), 980);
    expect(pass(late, 1000)).toMatchObject({ state: { phase: 'acked', receiver: 'gamma', epoch: 1 } });
  });

  test.each<[string, OwnerInput]>([
    ['an epoch that is over', claim('beta', 0, 0)],
    ['an epoch to come', claim('beta', 0, 2)],
  ])('a claim of %s changes nothing', (_title, input) => {
    const run = offered();
    const after = feed(run, input);
    expect(after.state).toBe(run.state);
    expect(after.effects).toEqual([]);
  });

  test('an epoch is acked once', () => {
    const run = acked();
    const after = feed(run, claim('gamma', 0));
    expect(after.state).toBe(run.state);
    expect(after.effects).toEqual([]);
  });

  test('a member that the offer leaves out cannot claim it', () => {
    const away = offered({ place: 'away' });
    expect(feed(away, claim('alpha', 0)).state.phase).toBe('offered');
    expect(feed(away, claim('beta', 0)).state.phase).toBe('acked');
  });

  test('an item for one member is acked to that one only', () => {
    const pinned = offered({ need: { cpus: 1, labels: [], abilities: [], on: 'gamma' } });
    expect(feed(pinned, claim('beta', 0)).state.phase).toBe('offered');
    expect(feed(pinned, claim('gamma', 0)).state.receiver).toBe('gamma');
    expect(feed(offered({ place: 'here' }), claim('beta', 0)).state.phase).toBe('offered');
  });
});

describe('the ack', () => {
  test('it is repeated until the first progress is heard', () => {
    expect(pass(acked(), 100).effects).toEqual(['ack 1 to beta']);
    const heard = feed(acked(), progress('fetching', 1), 50);
    expect(heard.effects).toEqual(['lease 1 to beta: hold 1']);
    expect(pass(heard, 150).effects).toEqual([]);
  });

  test('a repeat extends nothing', () => {
    let run = acked();
    for (let ms = 100; ms < 8000; ms += 100) run = pass(run, ms);
    expect(run.state).toMatchObject({ phase: 'acked', answeredAt: 0 });
    expect(pass(run, 8000).state).toMatchObject({ phase: 'queued', receiver: null });
  });
});

describe('a command that is to run once', () => {
  test('reaches its receiver as one that must not be stopped and started again', () => {
    const { effects } = stepOwner(
      offered(restartable({ retry: 'once' })).state,
      claim('beta', 0),
      instant(0),
      ownerRules,
    );
    expect(effects).toMatchObject([{}, { kind: 'ack', body: { command: { migrate: 'never' } } }, {}]);
  });
});
