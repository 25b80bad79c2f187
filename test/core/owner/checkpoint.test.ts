/**
 * A move by checkpoint, seen from the owner: beta holds epoch 1, gamma takes epoch 2. Each rule that keeps the process
 * from running twice has a test here.
 */
import { describe, expect, it } from 'vitest';
import { isBeingMoved } from '../../../src/core/owner/move.js';
import { nextTimerAt } from '../../../src/core/owner/step.js';
import { fromRecord, toRecord } from '../../../src/core/owner/owned-item.js';
import type { ItemInput } from '../../../src/core/owner/inputs.js';
import type { Item } from '../../../src/protocol/item.js';
import type { ProgressReport } from '../../../src/protocol/work-messages.js';
import { createItem, ownerRules } from '../../support/samples.js';
import { bundle, chosen, claim, feed, pass, progress, result, running, submit, type OwnerRun } from './owner-run.js';

const movable: Partial<Item> = { command: { ...createItem().command, migrate: 'checkpoint' } };
const move: ItemInput = { type: 'MoveAsked', reason: 'asked', to: null };
const frozenResult = { outcome: 'frozen', move: 1, image_need: ['criu'], outputs_count: 2, outputs_bytes: 9 } as const;

function says(from: string, epoch: number, body: Partial<ProgressReport>): ItemInput {
  return { type: 'ProgressHeard', from, progress: { epoch, phase: 'running', renewal: 9, ...body } };
}

/** Beta was ordered to freeze it. */
function asked(change: Partial<Item> = {}): OwnerRun {
  return feed(running({ ...movable, ...change }), move, 100);
}

/** Its image is being fetched. */
function coming(change: Partial<Item> = {}): OwnerRun {
  return feed(asked(change), result(frozenResult), 200);
}

/** Its image is at the owner: it waits while its original is stopped on beta. */
function home(change: Partial<Item> = {}): OwnerRun {
  return feed(coming(change), { type: 'ItemCarried', epoch: 1, bundle, image: true }, 300);
}

/** Gamma was acked. */
function given(change: Partial<Item> = {}): OwnerRun {
  return feed(feed(home(change), chosen), claim('gamma', 0, 2));
}

/** The owner has committed to gamma's copy. */
function committed(change: Partial<Item> = {}): OwnerRun {
  return feed(given(change), says('gamma', 2, { phase: 'prepared' }), 400);
}

describe('a move by checkpoint', () => {
  it('goes from order to image, to offer, to commitment, to the end of the original', () => {
    expect(asked().effects).toEqual(['persist running', 'lease 1 to beta: checkpoint 0', 'status running']);
    expect(coming().effects).toEqual(['fetch home 1 from beta', 'status returning']);
    expect(feed(coming(), { type: 'HomeFetched', epoch: 1 }).effects).toEqual(['carry 1']);
    expect(home().effects).toEqual(['persist queued', 'status queued']);
    expect(home().state).toMatchObject({ receiver: null, source: { receiver: 'beta', epoch: 1 }, image: bundle });
    const offer = feed(home(), chosen);
    expect(offer.effects).toEqual(['offer 2', 'status offered']);
    expect(given().effects).toEqual(['persist acked', 'share 2 with gamma', 'ack 2 to gamma', 'status acked']);
    expect(committed().effects).toEqual(['persist acked', 'lease 2 to gamma: continue 9']);
    const moved = feed(committed(), says('gamma', 2, {}), 500);
    expect(moved.effects).toEqual([
      'persist running',
      'lease 1 to beta: settled 0',
      'event item_moved',
      'lease 2 to gamma: hold 9',
      'status running',
    ]);
    expect(moved.state).toMatchObject({ receiver: 'gamma', source: null, hops: 1, attempts: 1, order: 'hold' });
    // The reason of the order, not that of a later step.
    expect(moved.raw[2]).toMatchObject({ body: { from: 'beta', to: 'gamma', reason: 'asked' } });
  });

  it('offers the image only to nodes that can restore it, and not to its source', () => {
    const [offer] = feed(home(), chosen).raw;
    expect(offer).toMatchObject({ body: { kind: 'process', need: { abilities: ['criu'] }, avoid: ['beta'] } });
    const [, , ack] = given().raw;
    expect(ack).toMatchObject({ body: { image: true, manifest_sha256: bundle.sha256 } });
  });

  it('extends the lease of the stopped original while its copy is prepared', () => {
    for (const run of [coming(), home(), feed(home(), chosen), given(), committed()]) {
      expect(feed(run, says('beta', 1, { phase: 'frozen' })).effects).toEqual(['lease 1 to beta: hold 9']);
    }
  });

  it('is under way from the order until the copy runs or the original goes on', () => {
    expect(isBeingMoved(running(movable).state)).toBe(false);
    for (const run of [asked(), coming(), home(), feed(home(), chosen), given(), committed()]) {
      expect(isBeingMoved(run.state)).toBe(true);
    }
    expect(isBeingMoved(feed(committed(), says('gamma', 2, {}), 500).state)).toBe(false);
    expect(isBeingMoved(pass(home(), 3300).state)).toBe(false);
  });

  it('starts nothing twice for a once item', () => {
    expect(feed(committed({ retry: 'once' }), says('gamma', 2, {})).state).toMatchObject({ phase: 'running' });
  });
});

describe('before the commitment', () => {
  it('a refused copy goes to another receiver while the original stays stopped', () => {
    const again = feed(given(), result({ outcome: 'refused', epoch: 2, reason: 'no such program' }, 'gamma'));
    expect(again.effects).toEqual(['persist queued', 'unshare 2', 'lease 2 to gamma: gone 0', 'status queued']);
    expect(again.state).toMatchObject({ avoid: ['beta', 'gamma'], attempts: 1, source: { receiver: 'beta' } });
    expect(feed(again, chosen).state.epoch).toBe(3);
  });

  it('the original goes on when nobody takes it in time', () => {
    const resumed = pass(home(), 3300);
    expect(resumed.effects).toEqual([
      'persist running',
      'DropImage',
      'lease 1 to beta: resume 0',
      'event item_stayed',
      'status running',
    ]);
    expect(resumed.state).toMatchObject({ receiver: 'beta', epoch: 1, order: 'resume', source: null, image: null });
    expect(nextTimerAt(home().state, ownerRules)).toBe(3300);
    expect(pass(resumed, 3400).effects).toEqual(['lease 1 to beta: resume 0']);
    const goesOn = feed(resumed, says('beta', 1, {}), 3500);
    expect(goesOn.effects).toEqual(['persist running', 'lease 1 to beta: hold 9']);
    expect(goesOn.state.order).toBe('hold');
  });

  it('a copy that is not ready in time is given up, and its epoch is not reused', () => {
    const resumed = pass(given(), 10_300);
    expect(resumed.effects).toContain('lease 2 to gamma: gone 0');
    expect(resumed.effects).toContain('lease 1 to beta: resume 0');
    const again = feed(feed(resumed, says('beta', 1, {})), move);
    expect(again.state).toMatchObject({ move: 2, epoch: 1, order: 'checkpoint' });
    const waits = feed(feed(again, result({ ...frozenResult, move: 2 })), {
      type: 'ItemCarried',
      epoch: 1,
      bundle,
      image: true,
    });
    expect(feed(waits, chosen).state.epoch).toBe(3);
  });

  it('a copy whose node fell silent has certainly not run, so its lease need not be waited for', () => {
    const lost = pass(given(), 8300);
    expect(lost.state).toMatchObject({ phase: 'running', receiver: 'beta', order: 'resume' });
  });

  it('a process that could not be frozen runs on, and its owner reports why', () => {
    const stays = feed(asked(), says('beta', 1, { move: 1, refused: 'it has a terminal' }));
    expect(stays.effects).toEqual([
      'persist running',
      'event item_stayed',
      'lease 1 to beta: hold 9',
      'status running',
    ]);
    expect(stays.state).toMatchObject({ order: 'hold', reason: 'not moved: it has a terminal' });
    expect(feed(asked(), says('beta', 1, { move: 0, refused: 'an earlier one' })).state.order).toBe('checkpoint');
  });

  it('an image that cannot be fetched is tried again for a while, then the original goes on', () => {
    const failed = { type: 'HomeFetchFailed', epoch: 1, reason: 'another sha256', final: false } as const;
    const tried = feed(coming(), failed, 300);
    expect(tried.state).toMatchObject({ phase: 'returning', receiver: 'beta' });
    // Its original renews its lease meanwhile, which changes nothing.
    const again = pass(feed(tried, says('beta', 1, { phase: 'frozen' }), 400), 600);
    expect(again.effects).toEqual(['fetch home 1 from beta']);
    // It has been stopped since 200.
    expect(feed(again, failed, 3199).state.phase).toBe('returning');
    const resumed = feed(again, failed, 3200);
    expect(resumed.effects).toContain('lease 1 to beta: resume 0');
    expect(resumed.state).toMatchObject({ phase: 'running', reason: 'not moved: another sha256', image: null });
  });

  it('an image that does not arrive in time lets the original go on', () => {
    const failed = { type: 'HomeFetchFailed', epoch: 1, reason: 'x', final: true } as const;
    expect(feed(coming(), failed).state).toMatchObject({
      phase: 'running',
      order: 'resume',
      receiver: 'beta',
      epoch: 1,
    });
    expect(pass(coming(), 10_200).state).toMatchObject({ phase: 'running', order: 'resume' });
  });

  it('an original that ended leaves its image, which is still offered', () => {
    const gone = feed(home(), result({ outcome: 'died', epoch: 1 }));
    expect(gone.effects).toEqual(['persist queued', 'lease 1 to beta: settled 0']);
    expect(pass(gone, 60_000).state).toMatchObject({ phase: 'queued', source: null, image: bundle });
  });

  it('a cancel ends both original and copy', () => {
    const cancelled = feed(home(), { type: 'CancelAsked', reason: 'enough' });
    expect(cancelled.effects).toContain('lease 1 to beta: settled 0');
    expect(cancelled.state).toMatchObject({ phase: 'cancelled', source: null });
  });
});

describe('after the commitment', () => {
  it('time alone never resumes the original', () => {
    const late = pass(committed(), 8399);
    expect(late.state).toMatchObject({ order: 'continue', source: { receiver: 'beta' } });
    expect(late.effects).toEqual(['lease 2 to gamma: continue 0']);
  });

  it('a lease that ends in silence ends the original; the image is left', () => {
    const rerun = pass(committed(), 8400);
    expect(rerun.effects).toEqual(['persist queued', 'unshare 2', 'lease 1 to beta: settled 0', 'status queued']);
    expect(rerun.state).toMatchObject({ source: null, image: bundle });
    const once = pass(committed({ retry: 'once' }), 8400);
    expect(once.state).toMatchObject({ phase: 'lost', source: null, image: bundle });
    expect(once.effects).toContain('lease 1 to beta: settled 0');
  });

  it('only a report that the copy never ran resumes the original', () => {
    const refused = feed(committed(), result({ outcome: 'refused', epoch: 2, reason: 'its lease ended' }, 'gamma'));
    expect(refused.state).toMatchObject({ phase: 'running', receiver: 'beta', epoch: 1, order: 'resume' });
    const died = feed(committed(), result({ outcome: 'died', epoch: 2 }, 'gamma'));
    expect(died.effects).not.toContain('lease 1 to beta: resume 0');
    expect(died.effects).toContain('lease 1 to beta: settled 0');
  });

  it('a copy that ended before it was reported as running ends the original, too', () => {
    const done = feed(committed(), result({ outcome: 'exited', epoch: 2 }, 'gamma'));
    expect(done.state).toMatchObject({ phase: 'done', source: null });
    expect(done.effects).toContain('lease 1 to beta: settled 0');
  });

  it('a restart of the owner repeats the order and decides nothing else', () => {
    const record = toRecord(committed().state);
    const again = feed(
      { state: fromRecord(record, 0), effects: [], raw: [], ms: 0 },
      { type: 'NodeRestarted', rolledBack: false },
    );
    expect(again.effects).toEqual(['Restage', 'share 2 with gamma', 'status acked']);
    expect(pass(again, 100).effects).toEqual(['lease 2 to gamma: continue 0']);
  });
});

describe('a late message', () => {
  it('of an earlier move changes nothing', () => {
    const held = feed(running(movable), result(frozenResult));
    expect(held.effects).toEqual([]);
    expect(feed(asked(), result({ ...frozenResult, move: 0 })).effects).toEqual([]);
    expect(feed(coming(), result({ ...frozenResult, move: 0 })).state.result?.move).toBe(1);
  });

  it('from an original that is stopped without a move is answered with resume', () => {
    const found = feed(running(movable), says('beta', 1, { phase: 'frozen', move: 3 }));
    expect(found.effects).toEqual(['lease 1 to beta: resume 9']);
    expect(found.state).toMatchObject({ order: 'resume', move: 3 });
  });

  it('from a copy of an epoch that was given up is answered with its release', () => {
    const resumed = pass(home(), 3300);
    expect(feed(resumed, says('gamma', 2, { phase: 'prepared' })).effects).toEqual(['lease 2 to gamma: gone 0']);
  });
});

describe('an external process', () => {
  const found: Partial<Item> = { ...movable, retry: 'once', process: { pid: 7, start: '7' } };

  it('is held by this node, which orders its checkpoint', () => {
    expect(submit(found).effects).toEqual(['persist running', 'lease 1 to alpha: checkpoint 0']);
    expect(submit(found).state).toMatchObject({ phase: 'running', receiver: 'alpha', epoch: 1, leaseMs: 60_000 });
  });

  it('is left alone if it cannot be frozen, if it was cancelled, or if its guest was never created', () => {
    const refused = feed(submit(found), says('alpha', 1, { move: 1, refused: 'it has a terminal' }));
    expect(refused.state).toMatchObject({ phase: 'failed', reason: 'not moved: it has a terminal' });
    const cancelled = feed(submit(found), { type: 'CancelAsked', reason: 'enough' });
    expect(cancelled.effects).toContain('lease 1 to alpha: resume 0');
    const stray = feed(submit(found), result({ outcome: 'refused', reason: 'not here' }, 'alpha'));
    expect(stray.state).toMatchObject({ phase: 'failed' });
  });

  it('that falls silent is lost, and resumed when it reports again', () => {
    const image = feed(feed(submit(found), result(frozenResult, 'alpha')), {
      type: 'ItemCarried',
      epoch: 1,
      bundle,
      image: true,
    });
    const there = feed(feed(image, chosen), claim('gamma', 0, 2));
    const moved = feed(feed(there, says('gamma', 2, { phase: 'prepared' })), says('gamma', 2, {}));
    const silent = pass(moved, 62_000);
    expect(silent.state).toMatchObject({ phase: 'lost', receiver: 'gamma' });
    expect(feed(silent, says('gamma', 2, {})).state).toMatchObject({ phase: 'running', receiver: 'gamma' });
  });
});

it('a receiver that asks for a move makes the owner move the item', () => {
  const wanted = feed(running(movable), says('beta', 1, { wants_move: 'beta drains' }));
  expect(wanted.effects).toEqual([
    'persist running',
    'lease 1 to beta: checkpoint 0',
    'lease 1 to beta: checkpoint 9',
    'status running',
  ]);
});

it('progress of a first start is handled as before', () => {
  expect(feed(running(movable), progress('running', 4)).effects).toEqual(['lease 1 to beta: hold 4']);
});
