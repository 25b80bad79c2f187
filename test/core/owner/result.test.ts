/** Results at the owner: which settle the item, which start a fetch, and which change nothing. */
import { describe, expect, it } from 'vitest';
import type { ItemInput } from '../../../src/core/owner/inputs.js';
import {
  acked,
  bundle,
  chosen,
  claim,
  feed,
  lost,
  pass,
  progress,
  restartable,
  result,
  returning,
  running,
  submit,
  vacated,
  withOutputs,
  type OwnerRun,
} from './owner-run.js';

describe('a result', () => {
  it.each<[string, OwnerRun, ItemInput, string, readonly string[]]>([
    [
      'without outputs settles the item, journalled before its receiver is released',
      running(),
      result(),
      'done',
      ['persist done', 'lease 1 to beta: settled 0', 'status done'],
    ],
    [
      'with outputs brings them home first',
      running(),
      result(withOutputs),
      'returning',
      ['fetch home 1 from beta', 'status returning'],
    ],
    [
      'with outputs inside opens them',
      running(),
      result({ ...withOutputs, sealed: 'AAAA' }),
      'returning',
      ['open home 1: AAAA', 'status returning'],
    ],
    [
      'that is said again while its outputs are on their way opens nothing twice',
      feed(running(), result({ ...withOutputs, sealed: 'AAAA' })),
      result({ ...withOutputs, sealed: 'AAAA' }),
      'returning',
      [],
    ],
    [
      'that is said again when its outputs did not come opens what it brings',
      feed(returning(), { type: 'HomeFetchFailed', epoch: 1, reason: '10.0.0.2:1: no answer', final: false }),
      result({ ...withOutputs, sealed: 'AAAA' }),
      'returning',
      ['open home 1: AAAA'],
    ],
    [
      'that comes before any progress counts',
      acked(),
      result({ exit_code: 3 }),
      'done',
      ['persist done', 'lease 1 to beta: settled 0', 'status done'],
    ],
    [
      'of a settled item is answered, so that its teller can rest',
      feed(running(), result()),
      result(),
      'done',
      ['lease 1 to beta: settled 0'],
    ],
    [
      'of one who does not hold the item changes nothing',
      running(),
      result({}, 'gamma'),
      'running',
      ['lease 1 to gamma: gone 0'],
    ],
    ['of another epoch changes nothing', running(), result({ epoch: 2 }), 'running', ['lease 2 to beta: gone 0']],
    [
      'of an epoch that was given up changes nothing',
      pass(running(), 8000),
      result(),
      'queued',
      ['lease 1 to beta: gone 0'],
    ],
    [
      'of a lost item still counts',
      lost(),
      result({ exit_code: 4 }),
      'done',
      ['persist done', 'lease 1 to beta: settled 0', 'status done'],
    ],
    [
      'of a lost item still brings its outputs home',
      lost(),
      result(withOutputs),
      'returning',
      ['fetch home 1 from beta', 'status returning'],
    ],
    [
      'of an item whose outputs are being fetched starts no second fetch',
      returning(),
      result(withOutputs),
      'returning',
      [],
    ],
  ])('%s', (_title, run, input, phase, effects) => {
    const after = feed(run, input);
    expect(after.state.phase).toBe(phase);
    expect(after.effects).toEqual(effects);
  });

  it('gives the end its reason, or its exit code', () => {
    expect(feed(running(), result({ exit_code: 3 })).state.reason).toBe('exit code 3');
    expect(feed(running(), result({ reason: 'its wall-clock limit of 5 ms ended' })).state.reason).toContain(
      'wall-clock',
    );
  });
});

describe('a refusal', () => {
  const refused = result({ outcome: 'refused', reason: 'it is draining', exit_code: null });

  it('uses up no attempt and leaves its sender out', () => {
    const after = feed(acked(), refused);
    expect(after.state).toMatchObject({ phase: 'queued', attempts: 0, avoid: ['beta'], receiver: null });
    expect(after.effects).toEqual(['persist queued', 'unshare 1', 'lease 1 to beta: settled 0', 'status queued']);
  });

  it('of a once item is not a start, so the item is offered again', () => {
    expect(feed(acked({ retry: 'once' }), refused).state.phase).toBe('queued');
  });

  it('of a cancelled item settles it', () => {
    const asked = feed(acked(), { type: 'CancelAsked', reason: 'cancelled on request' });
    expect(feed(asked, refused).state).toMatchObject({ phase: 'cancelled', reason: 'cancelled before it started' });
  });

  it('of a lost item that was never reported as running lets it be offered', () => {
    const silent = pass(acked({ retry: 'once' }), 8000);
    expect(silent.state.phase).toBe('lost');
    expect(feed(silent, refused).state.phase).toBe('queued');
  });

  it('after the death of the same once epoch answers a late ack, and must not start it again', () => {
    const dead = feed(running({ retry: 'once' }), result({ outcome: 'died', reason: 'killed' }));
    expect(dead.state.phase).toBe('lost');
    const after = feed(dead, refused);
    expect(after.state.phase).toBe('lost');
    expect(after.effects).toEqual(['lease 1 to beta: settled 0']);
  });

  it('after progress of the run is ignored: only the lease decides when the run is over', () => {
    const run = running();
    expect(feed(run, refused)).toMatchObject({ state: run.state, effects: [] });
    expect(feed(lost(), refused)).toMatchObject({ state: { phase: 'lost' }, effects: ['lease 1 to beta: settled 0'] });
  });
});

describe('a death', () => {
  const died = result({ outcome: 'died', reason: 'killed', exit_code: null });
  it('of a rerun item sends it back to the queue at once, since nothing runs any more', () => {
    const after = feed(running(), died, 100);
    expect(after.state).toMatchObject({ phase: 'queued', attempts: 1, avoid: ['beta'] });
    expect(after.effects).toEqual(['persist queued', 'unshare 1', 'lease 1 to beta: settled 0', 'status queued']);
  });

  it('of a once item loses it', () => {
    expect(feed(running({ retry: 'once' }), died).state).toMatchObject({ phase: 'lost', receiver: 'beta' });
  });

  it('in the last attempt fails the item', () => {
    const after = feed(running({ attempts: 1 }), died);
    expect(after.state.reason).toBe('beta could not finish it: killed; given up after 1 starts');
  });

  it('of a cancelled item settles it', () => {
    const asked = feed(running(), { type: 'CancelAsked', reason: 'cancelled on request' });
    expect(feed(asked, died).state.phase).toBe('cancelled');
    expect(feed(asked, result({ outcome: 'cancelled' })).state.phase).toBe('cancelled');
  });
});

describe('outputs', () => {
  const fetched: ItemInput = { type: 'HomeFetched', epoch: 1 };
  it('are placed, then the item is done and its receiver is released', () => {
    const placing = feed(returning(), fetched);
    expect(placing).toMatchObject({ effects: ['place 1'], state: { phase: 'returning' } });
    const after = feed(placing, { type: 'HomePlaced', epoch: 1 });
    expect(after.effects).toEqual(['persist done', 'lease 1 to beta: settled 0', 'status done']);
  });

  it('that cannot be placed are kept, and the reason says where', () => {
    const after = feed(returning(), { type: 'PlaceFailed', epoch: 1, reason: 'permission denied', final: true });
    expect(after.state).toMatchObject({
      phase: 'done',
      reason: 'its outputs stay in its own directory: permission denied',
    });
  });

  it('are placed later if the disk is full, and the final reason does not mention it', () => {
    const failed = feed(returning(), { type: 'PlaceFailed', epoch: 1, reason: 'no space left', final: false }, 10);
    expect(failed.state).toMatchObject({
      phase: 'returning',
      reason: 'its outputs wait in its own directory: no space left',
    });
    expect(pass(failed, 309).effects).toEqual([]);
    expect(pass(failed, 310).effects).toEqual(['fetch home 1 from beta']);
    const after = feed(failed, { type: 'HomePlaced', epoch: 1 }, 400);
    expect(after.state).toMatchObject({ phase: 'done', reason: 'exit code 0' });
  });

  it('are fetched again after a pause if the fetch failed', () => {
    const failed = feed(returning(), { type: 'HomeFetchFailed', epoch: 1, reason: 'refused', final: false }, 10);
    expect(failed.state.phase).toBe('returning');
    expect(pass(failed, 309).effects).toEqual([]);
    expect(pass(failed, 310).effects).toEqual(['fetch home 1 from beta']);
  });

  it('that can never be fetched give the epoch up', () => {
    const after = feed(returning(), { type: 'HomeFetchFailed', epoch: 1, reason: 'wrong hash', final: true });
    expect(after.state).toMatchObject({
      phase: 'queued',
      reason: 'its outputs did not come home from beta: wrong hash',
    });
  });

  it('are given up if the receiver is silent for long; its repeats prevent that', () => {
    expect(pass(returning(), 20_000).state.phase).toBe('queued');
    expect(pass(feed(returning(), result(withOutputs), 15_000), 20_000).state.phase).toBe('returning');
    expect(pass(returning({ retry: 'once' }), 20_000).state.phase).toBe('lost');
    // Its machine crashed and lost the outputs: its repeats must not keep the item waiting.
    expect(pass(feed(returning(), result({ outcome: 'died' }), 15_000), 20_000).state.phase).toBe('queued');
  });

  it.each<ItemInput>([
    { type: 'HomeFetched', epoch: 2 },
    { type: 'HomePlaced', epoch: 2 },
    { type: 'PlaceFailed', epoch: 2, reason: 'x', final: true },
    { type: 'PlaceFailed', epoch: 2, reason: 'x', final: false },
    { type: 'HomeFetchFailed', epoch: 2, reason: 'x', final: true },
  ])('$type of another epoch changes nothing', (input) => {
    const run = returning();
    expect(feed(run, input)).toMatchObject({ state: run.state, effects: [] });
  });
});

describe('a move', () => {
  const carried: ItemInput = { type: 'ItemCarried', epoch: 1, bundle, image: false };
  it('fetches and carries a vacated item, queues it again, and only then releases its receiver', () => {
    expect(vacated().effects).toEqual(['fetch home 1 from beta', 'status returning']);
    const home = feed(vacated(), { type: 'HomeFetched', epoch: 1 });
    expect(home.effects).toEqual(['carry 1']);
    const after = feed(home, carried, 700);
    expect(after.effects).toEqual([
      'persist queued',
      'lease 1 to beta: settled 0',
      'unshare 1',
      'event item_moved',
      'status queued',
    ]);
    expect(after.state).toMatchObject({ hops: 1, attempts: 0, avoid: ['beta'], movedAt: 700, bundle });
  });

  it('reports the reason of the order, or that of a receiver that vacated it without one', () => {
    const left = { outcome: 'vacated', reason: 'asked to leave', outputs_count: 1 } as const;
    const ordered = feed(running(restartable()), { type: 'MoveAsked', reason: 'PLUS at 1.20', to: null }, 10);
    const told = feed(feed(ordered, result(left)), carried).raw.find(
      (one) => one.type === 'Publish' && one.kind === 'event',
    );
    expect(told).toMatchObject({ body: { event_type: 'item_moved', reason: 'PLUS at 1.20' } });
    const again = feed(feed(feed(feed(ordered, result(left)), carried), chosen), claim('gamma', 0, 2));
    const gone = feed(feed(again, result({ ...left, epoch: 2, reason: 'gamma drains' }, 'gamma')), {
      ...carried,
      epoch: 2,
    });
    const other = gone.raw.find((one) => one.type === 'Publish' && one.kind === 'event');
    expect(other).toMatchObject({ body: { event_type: 'item_moved', reason: 'gamma drains' } });
  });

  it('gives the next receiver the carried files even if the epoch was given up meanwhile', () => {
    const given = pass(feed(vacated(), { type: 'HomeFetched', epoch: 1 }), 20_000);
    expect(given.state).toMatchObject({ phase: 'queued', bundle: null });
    const late = feed(given, carried);
    expect(late).toMatchObject({ state: { phase: 'queued', bundle }, effects: [] });
    expect(feed(late, chosen).state.phase).toBe('offered');
  });

  it('offers the item again with the next epoch, and can ack another node', () => {
    const again = feed(feed(feed(vacated(), carried), chosen), claim('gamma', 0, 2));
    expect(again.state).toMatchObject({ phase: 'acked', receiver: 'gamma', epoch: 2, avoid: [] });
    expect(feed(again, progress('running', 9)).effects).toEqual(['lease 1 to beta: gone 0']);
  });

  it('orders the receiver of a held item to vacate it, until it obeys', () => {
    const asked = feed(running(restartable()), { type: 'MoveAsked', reason: 'asked', to: 'gamma' }, 10);
    expect(asked.effects).toEqual(['persist running', 'lease 1 to beta: vacate 0', 'status running']);
    expect(asked.state).toMatchObject({ order: 'vacate', target: 'gamma' });
    expect(pass(asked, 110).effects).toEqual(['lease 1 to beta: vacate 0']);
    expect(feed(asked, progress('running', 4)).effects).toEqual(['lease 1 to beta: vacate 4']);
  });

  it.each<[string, OwnerRun]>([
    ['does not touch an item that must not be stopped', running()],
    ['does not touch a once item that may have started', running(restartable({ retry: 'once' }))],
    ['does not touch an item that must run here', submit({ place: 'here' })],
    ['does not touch a lost item', lost()],
    ['does not touch an item whose outputs are being fetched', returning()],
    ['does not touch an item that has ended', feed(running(), result())],
  ])('%s', (_title, run) => {
    expect(feed(run, { type: 'MoveAsked', reason: 'asked', to: null })).toMatchObject({
      state: run.state,
      effects: [],
    });
  });

  it('offers a waiting item to the requested node', () => {
    const after = feed(submit(), { type: 'MoveAsked', reason: 'asked', to: 'gamma' });
    expect(after.state).toMatchObject({ phase: 'queued', target: 'gamma', avoid: [] });
    expect(feed(feed(after, chosen), claim('beta', 0)).state.phase).toBe('offered');
    expect(feed(feed(after, chosen), claim('gamma', 0)).state).toMatchObject({ receiver: 'gamma', target: null });
  });

  it('leaves the owner out if no node was requested', () => {
    expect(feed(submit(), { type: 'MoveAsked', reason: 'asked', to: null }).state.avoid).toEqual(['alpha']);
  });

  it('does not offer an item again that was cancelled while it was vacated', () => {
    const asked = feed(running(restartable()), { type: 'CancelAsked', reason: 'cancelled on request' });
    const after = feed(asked, result({ outcome: 'vacated', ...withOutputs }));
    expect(after.state).toMatchObject({ phase: 'cancelled' });
    expect(after.effects).toEqual(['persist cancelled', 'lease 1 to beta: settled 0', 'status cancelled']);
  });
});
