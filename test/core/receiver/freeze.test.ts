/**
 * Freezing a guest and restoring a copy: what is journalled before it is done, and which orders are obeyed in which
 * phase.
 */
import { describe, expect, it } from 'vitest';
import { fromGuestRecord, type Guest } from '../../../src/core/receiver/guest.js';
import { takeExternalProcess } from '../../../src/core/receiver/external.js';
import type { GuestInput } from '../../../src/core/receiver/inputs.js';
import type { Lease } from '../../../src/protocol/work-messages.js';
import { describeEffects } from '../../support/effect-text.js';
import { createItem, command, instant, receiverRules } from '../../support/samples.js';
import { ack, ackWithFiles, claimed, feed, pass, wakeOf, type GuestRun } from './receiver-run.js';

const movable = { ...command, migrate: 'checkpoint' } as const;
const handle = { pid: 5, start: '5' };

function order(what: Lease['order'], move?: number, renewal = 0): GuestInput {
  const lease = { epoch: 1, to: 'beta', renewal, order: what, ...(move === undefined ? {} : { move }) };
  return { type: 'LeaseHeard', lease };
}

function running(): GuestRun {
  return feed(feed(claimed(), ack({ command: movable })), { type: 'RunStarted', handle });
}

function freezing(): GuestRun {
  return feed(running(), order('checkpoint', 1), 100);
}

function frozen(): GuestRun {
  return feed(freezing(), { type: 'RunFrozen', imageBytes: 9, tookMs: 5 }, 200);
}

/** Its image was published. */
function published(): GuestRun {
  return feed(frozen(), { type: 'Collected', bundle: { sha256: 'c'.repeat(64), bytes: 9, count: 2 } }, 300);
}

/** A copy was fetched and is being restored. */
function restoring(): GuestRun {
  const fetching = feed(claimed(), { type: 'AckHeard', obstacle: undefined, ...imageAck() });
  return feed(fetching, { type: 'InputsFetched', command: movable }, 50);
}

function imageAck(): Pick<Extract<GuestInput, { type: 'AckHeard' }>, 'ack'> {
  const heard = ackWithFiles();
  if (heard.type !== 'AckHeard') throw new Error('no ack');
  return { ack: { ...heard.ack, image: true } };
}

function prepared(): GuestRun {
  return feed(restoring(), { type: 'RunPrepared', handle }, 100);
}

function restart(run: GuestRun): GuestRun {
  if (run.guest === null) throw new Error('the guest is forgotten');
  const guest: Guest = fromGuestRecord(run.guest, instant(500), receiverRules);
  return feed({ guest, effects: [], raw: [], ms: 500 }, { type: 'NodeRestarted' });
}

describe('an original', () => {
  it('that goes on during a push of its image can push its outputs later', () => {
    const pushing = feed(published(), {
      type: 'LeaseHeard',
      lease: { epoch: 1, to: 'beta', renewal: 0, order: 'hold', push_to: ['https://10.0.0.1:4711'] },
    });
    expect(pushing.guest?.pushing).toBe(true);
    expect(feed(pushing, order('resume', 1)).guest).not.toHaveProperty('pushing');
  });

  it('is frozen after its journal write, then its image is collected and published', () => {
    expect(freezing().effects).toEqual(['persist freezing', 'progress 1 freezing 1003', 'FreezeRun']);
    expect(frozen().effects).toEqual(['persist frozen', 'progress 1 frozen 1004', 'collect everything']);
    expect(published().effects).toEqual(['result 1 frozen']);
    expect(published().guest?.result).toMatchObject({ move: 1, image_need: ['criu'], outputs_count: 2 });
  });

  it('publishes its image again with growing pauses, and at once when asked again', () => {
    expect(pass(published(), 400).effects).toEqual(['result 1 frozen']);
    expect(pass(feed(published(), order('checkpoint', 1)), 300).effects).toEqual(['result 1 frozen']);
  });

  it('goes on only after an order of the same move', () => {
    expect(feed(published(), order('resume', 1)).effects).toEqual([
      'persist thawing',
      'RemoveGuest',
      'ThawRun',
      'progress 1 thawing 1005',
    ]);
    expect(feed(published(), order('resume', 0)).guest?.phase).toBe('frozen');
    const again = feed(feed(feed(published(), order('resume', 1)), { type: 'RunThawed' }), order('checkpoint', 2));
    const second = feed(feed(again, { type: 'RunFrozen', imageBytes: 9, tookMs: 5 }), order('resume', 1));
    expect(second.guest).toMatchObject({ phase: 'frozen', move: 2 });
  });

  it('is not frozen again by a late order', () => {
    const goesOn = feed(feed(published(), order('resume', 1)), { type: 'RunThawed' });
    const late = feed(goesOn, order('checkpoint', 1));
    expect(late.effects).toEqual(['progress 1 running 1007']);
  });

  it('never goes on after `continue`', () => {
    expect(feed(published(), order('continue')).guest?.phase).toBe('frozen');
  });

  it('that could not be frozen runs on, and reports why until the owner has it', () => {
    const stays = feed(freezing(), { type: 'FreezeFailed', reason: 'it has a terminal' });
    expect(stays.effects).toEqual(['persist running', 'progress 1 running 1004']);
    expect(stays.raw.at(-1)).toMatchObject({ body: { refused: 'it has a terminal', move: 1 } });
    expect(feed(stays, order('checkpoint', 1)).raw.at(-1)).toMatchObject({ body: { refused: 'it has a terminal' } });
  });

  it('whose image cannot be collected goes on', () => {
    const failed = feed(frozen(), { type: 'CollectFailed', reason: 'disk full', final: false });
    expect(failed.guest).toMatchObject({ phase: 'thawing', refused: 'its image cannot be described: disk full' });
  });

  it.each([['settled'], ['gone']] as const)('is ended by %s', (what) => {
    const released = feed(published(), order(what));
    expect(released.effects).toEqual(['persist frozen, stopping: gone', 'StopRun grace 500']);
    expect(feed(released, { type: 'RunDied', reason: 'killed' }).guest).toBeNull();
  });

  it('is ended when its lease ends, and reports it', () => {
    const late = pass(published(), 6000);
    expect(late.effects).toEqual(['persist frozen, stopping: lease', 'StopRun grace 500']);
    expect(feed(late, { type: 'RunDied', reason: 'killed' }).effects).toEqual(['result 1 died']);
  });

  it('asks for a move in every renewal until its checkpoint is ordered', () => {
    const wants = feed(running(), { type: 'VacateWanted', reason: 'beta drains' });
    expect(wants.raw.at(-1)).toMatchObject({ body: { wants_move: 'beta drains' } });
    expect(feed(wants, order('checkpoint', 1)).guest).toMatchObject({ phase: 'freezing', wish: null });
  });
});

describe('a copy', () => {
  it('is fetched completely, restored, and reported after its journal write', () => {
    expect(restoring().raw.at(-1)).toMatchObject({ type: 'StartRun', image: true });
    expect(prepared().effects).toEqual(['persist prepared', 'progress 1 prepared 1003']);
  });

  it('is resumed only by `continue`, after the journal write', () => {
    for (const what of ['hold', 'resume', 'checkpoint', 'vacate'] as const) {
      expect(feed(prepared(), order(what, 1)).guest?.phase).toBe('prepared');
    }
    const goes = feed(prepared(), order('continue'));
    expect(goes.effects).toEqual(['persist thawing', 'RemoveGuest', 'ThawRun', 'progress 1 thawing 1004']);
    expect(feed(goes, { type: 'RunThawed' }).effects).toEqual(['persist running', 'progress 1 running 1005']);
  });

  it('is not resumed after its lease, but refused, since it never ran', () => {
    const late = feed(prepared(), order('continue'), 6000);
    expect(late.effects).toEqual([]);
    const ended = feed(pass(late, 6000), { type: 'RunDied', reason: 'killed' });
    expect(ended.effects).toEqual(['result 1 refused']);
  });

  it('that could not be restored is refused; one that was resumed and died has died', () => {
    expect(feed(restoring(), { type: 'RunFailed', reason: 'no such program' }).effects).toEqual(['result 1 refused']);
    expect(feed(prepared(), { type: 'RunDied', reason: 'killed' }).effects).toEqual(['result 1 refused']);
    const goes = feed(prepared(), order('continue'));
    expect(feed(goes, { type: 'RunDied', reason: 'killed' }).effects).toEqual(['result 1 died']);
  });

  it('that was resumed but never ran is refused, unless it was released', () => {
    const goes = feed(prepared(), order('continue'));
    const failed = feed(goes, { type: 'ThawFailed', reason: 'podman: no room' });
    expect(failed.effects).toEqual(['result 1 refused']);
    expect(failed.guest?.result).toMatchObject({ reason: 'its copy could not be started: podman: no room' });
    expect(feed(feed(goes, order('gone')), { type: 'ThawFailed', reason: 'stopped' }).guest).toBeNull();
    const cancelled = feed(feed(goes, order('cancel')), { type: 'ThawFailed', reason: 'stopped' });
    expect(cancelled.effects).toEqual(['result 1 cancelled']);
  });

  it('that runs is never reported as not having run, and neither is an original', () => {
    const runs = feed(feed(prepared(), order('continue')), { type: 'RunThawed' });
    expect(feed(runs, { type: 'ThawFailed', reason: 'late' }).guest?.phase).toBe('running');
    const original = feed(published(), order('resume', 1));
    expect(feed(original, { type: 'ThawFailed', reason: 'never' }).guest?.phase).toBe('thawing');
  });

  it('needs a transport', () => {
    expect(feed(claimed(), ack({ image: true })).effects).toEqual(['result 1 refused']);
  });
});

describe('after a restart of the node', () => {
  it.each<[string, GuestRun, string[]]>([
    ['a freeze is done again', freezing(), ['AdoptRun', 'FreezeRun']],
    ['a frozen guest stays so, and its image is collected again', published(), ['AdoptRun', 'collect everything']],
    ['a prepared copy stays stopped', prepared(), ['AdoptRun']],
    ['a thaw is done again', feed(prepared(), order('continue')), ['AdoptRun', 'ThawRun']],
    ['a stop is done again', feed(published(), order('gone')), ['AdoptRun', 'StopRun grace 0']],
  ])('%s', (_title, run, effects) => {
    expect(restart(run).effects).toEqual(effects);
  });

  it('a stopped process that is found does not count as started', () => {
    const found = feed(restart(published()), { type: 'RunStarted', handle });
    expect(found.guest?.phase).toBe('frozen');
    expect(feed(restart(restoring()), { type: 'RunStarted', handle }).guest?.phase).toBe('starting');
  });
});

describe('an external process', () => {
  function found(): GuestRun {
    const item = createItem({ command: movable, process: { pid: 7, start: '7' } });
    const { state, effects } = takeExternalProcess(item, { pid: 7, start: '7' }, 1, instant(0), receiverRules);
    return { guest: state, effects: describeEffects(effects), raw: effects, ms: 0 };
  }

  it('is journalled, then becomes a run', () => {
    expect(found().effects).toEqual(['persist running', 'AdoptExternal']);
  });

  it('is never ended while it has not moved', () => {
    const released = feed(found(), order('gone'));
    expect(released.guest).toBeNull();
    expect(released.effects).toEqual(['StopRun grace 0', 'RemoveGuest', 'persist nothing']);
    expect(pass(found(), 1e9).guest).toMatchObject({ phase: 'running', stopping: null });
    expect(wakeOf(found())).toBe(0);
  });

  it('is ended once its copy runs elsewhere', () => {
    const gone = feed(
      feed(feed(found(), order('checkpoint', 1)), { type: 'RunFrozen', imageBytes: 9, tookMs: 5 }),
      order('settled'),
    );
    expect(gone.effects).toEqual(['persist frozen, stopping: gone', 'StopRun grace 500']);
  });
});
