/**
 * A guest that is frozen, and a copy that is restored: what is journalled before it is done, and which orders are obeyed in which
 * phase.
 */
import { describe, expect, test } from 'vitest';
import { fromGuestRecord, type Guest } from '../../../src/core/receiver/guest.js';
import { takeProcess } from '../../../src/core/receiver/take.js';
import type { ReceiverInput } from '../../../src/core/receiver/inputs.js';
import type { Lease } from '../../../src/protocol/work-messages.js';
import { describeEffects } from '../effect-text.js';
import { createItem, command, instant, receiverRules } from '../samples.js';
import { ack, ackWithFiles, claimed, feed, pass, wakeOf, type GuestRun } from './receiver-run.js';

const movable = { ...command, migrate: 'checkpoint' } as const;
const handle = { pid: 5, start: '5' };

function order(what: Lease['order'], move?: number, renewal = 0): ReceiverInput {
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

/** Its image was described and told of. */
function told(): GuestRun {
  return feed(frozen(), { type: 'Collected', bundle: { sha256: 'c'.repeat(64), bytes: 9, count: 2 } }, 300);
}

/** A copy was fetched and is being restored. */
function restoring(): GuestRun {
  const fetching = feed(claimed(), { type: 'AckHeard', obstacle: undefined, ...imageAck() });
  return feed(fetching, { type: 'InputsFetched', command: movable }, 50);
}

function imageAck(): Pick<Extract<ReceiverInput, { type: 'AckHeard' }>, 'ack'> {
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
  test('that goes on while its image is brought can be asked for its outputs later: nobody says how that push ended', () => {
    const pushing = feed(told(), {
      type: 'LeaseHeard',
      lease: { epoch: 1, to: 'beta', renewal: 0, order: 'hold', push_to: ['https://10.0.0.1:4711'] },
    });
    expect(pushing.guest?.pushing).toBe(true);
    expect(feed(pushing, order('resume', 1)).guest).not.toHaveProperty('pushing');
  });

  test('is frozen behind its journal write, described, and told of', () => {
    expect(freezing().effects).toEqual(['persist freezing', 'progress 1 freezing 1003', 'FreezeRun']);
    expect(frozen().effects).toEqual(['persist frozen', 'progress 1 frozen 1004', 'collect everything']);
    expect(told().effects).toEqual(['result 1 frozen']);
    expect(told().guest?.result).toMatchObject({ move: 1, image_need: ['criu'], outputs_count: 2 });
  });

  test('says its image again with growing pauses, and at once when it is asked again', () => {
    expect(pass(told(), 400).effects).toEqual(['result 1 frozen']);
    expect(pass(feed(told(), order('checkpoint', 1)), 300).effects).toEqual(['result 1 frozen']);
  });

  test('goes on by the order of the same move only', () => {
    expect(feed(told(), order('resume', 1)).effects).toEqual([
      'persist thawing',
      'RemoveGuest',
      'ThawRun',
      'progress 1 thawing 1005',
    ]);
    expect(feed(told(), order('resume', 0)).guest?.phase).toBe('frozen');
    const again = feed(feed(feed(told(), order('resume', 1)), { type: 'RunThawed' }), order('checkpoint', 2));
    const second = feed(feed(again, { type: 'RunFrozen', imageBytes: 9, tookMs: 5 }), order('resume', 1));
    expect(second.guest).toMatchObject({ phase: 'frozen', move: 2 });
  });

  test('is not frozen again by an order that comes late', () => {
    const goesOn = feed(feed(told(), order('resume', 1)), { type: 'RunThawed' });
    const late = feed(goesOn, order('checkpoint', 1));
    expect(late.effects).toEqual(['progress 1 running 1007']);
  });

  test('never goes on by `continue`', () => {
    expect(feed(told(), order('continue')).guest?.phase).toBe('frozen');
  });

  test('that could not be frozen runs on and says why until it is heard', () => {
    const stays = feed(freezing(), { type: 'FreezeFailed', reason: 'it has a terminal' });
    expect(stays.effects).toEqual(['persist running', 'progress 1 running 1004']);
    expect(stays.raw.at(-1)).toMatchObject({ body: { refused: 'it has a terminal', move: 1 } });
    expect(feed(stays, order('checkpoint', 1)).raw.at(-1)).toMatchObject({ body: { refused: 'it has a terminal' } });
  });

  test('whose image cannot be described goes on', () => {
    const failed = feed(frozen(), { type: 'CollectFailed', reason: 'disk full', final: false });
    expect(failed.guest).toMatchObject({ phase: 'thawing', refused: 'its image cannot be told of: disk full' });
  });

  test.each([['settled'], ['gone']] as const)('is ended by %s', (what) => {
    const released = feed(told(), order(what));
    expect(released.effects).toEqual(['persist frozen, stopping: gone', 'StopRun grace 500']);
    expect(feed(released, { type: 'RunDied', reason: 'killed' }).guest).toBeNull();
  });

  test('is ended when its lease ends, and says so', () => {
    const late = pass(told(), 6000);
    expect(late.effects).toEqual(['persist frozen, stopping: lease', 'StopRun grace 500']);
    expect(feed(late, { type: 'RunDied', reason: 'killed' }).effects).toEqual(['result 1 died']);
  });

  test('that asked to be moved says so in every renewal until it is asked for its image', () => {
    const wants = feed(running(), { type: 'VacateWanted', reason: 'beta drains' });
    expect(wants.raw.at(-1)).toMatchObject({ body: { wants_move: 'beta drains' } });
    expect(feed(wants, order('checkpoint', 1)).guest).toMatchObject({ phase: 'freezing', wish: null });
  });
});

describe('a copy', () => {
  test('is fetched whole, restored and told of behind its journal write', () => {
    expect(restoring().raw.at(-1)).toMatchObject({ type: 'StartRun', image: true });
    expect(prepared().effects).toEqual(['persist prepared', 'progress 1 prepared 1003']);
  });

  test('is let run by `continue` alone, behind the journal write', () => {
    for (const what of ['hold', 'resume', 'checkpoint', 'vacate'] as const) {
      expect(feed(prepared(), order(what, 1)).guest?.phase).toBe('prepared');
    }
    const goes = feed(prepared(), order('continue'));
    expect(goes.effects).toEqual(['persist thawing', 'RemoveGuest', 'ThawRun', 'progress 1 thawing 1004']);
    expect(feed(goes, { type: 'RunThawed' }).effects).toEqual(['persist running', 'progress 1 running 1005']);
  });

  test('is not let run when its lease is over, and is refused then: it never ran', () => {
    const late = feed(prepared(), order('continue'), 6000);
    expect(late.effects).toEqual([]);
    const ended = feed(pass(late, 6000), { type: 'RunDied', reason: 'killed' });
    expect(ended.effects).toEqual(['result 1 refused']);
  });

  test('that could not be restored is refused; one that was let run and died has died', () => {
    expect(feed(restoring(), { type: 'RunFailed', reason: 'no such program' }).effects).toEqual(['result 1 refused']);
    expect(feed(prepared(), { type: 'RunDied', reason: 'killed' }).effects).toEqual(['result 1 refused']);
    const goes = feed(prepared(), order('continue'));
    expect(feed(goes, { type: 'RunDied', reason: 'killed' }).effects).toEqual(['result 1 died']);
  });

  test('that was let go and never ran is refused, unless nobody wants to hear it', () => {
    const goes = feed(prepared(), order('continue'));
    const failed = feed(goes, { type: 'ThawFailed', reason: 'podman: no room' });
    expect(failed.effects).toEqual(['result 1 refused']);
    expect(failed.guest?.result).toMatchObject({ reason: 'its copy could not be started: podman: no room' });
    expect(feed(feed(goes, order('gone')), { type: 'ThawFailed', reason: 'stopped' }).guest).toBeNull();
    const cancelled = feed(feed(goes, order('cancel')), { type: 'ThawFailed', reason: 'stopped' });
    expect(cancelled.effects).toEqual(['result 1 cancelled']);
  });

  test('that runs cannot be said not to have run, nor an original', () => {
    const runs = feed(feed(prepared(), order('continue')), { type: 'RunThawed' });
    expect(feed(runs, { type: 'ThawFailed', reason: 'late' }).guest?.phase).toBe('running');
    const original = feed(told(), order('resume', 1));
    expect(feed(original, { type: 'ThawFailed', reason: 'never' }).guest?.phase).toBe('thawing');
  });

  test('needs a transport', () => {
    expect(feed(claimed(), ack({ image: true })).effects).toEqual(['result 1 refused']);
  });
});

describe('after a restart of the node', () => {
  test.each<[string, GuestRun, string[]]>([
    ['what was being frozen is frozen', freezing(), ['AdoptRun', 'FreezeRun']],
    ['what is frozen stays so, and is described again', told(), ['AdoptRun', 'collect everything']],
    ['what is prepared stays stopped', prepared(), ['AdoptRun']],
    ['what was to go on goes on', feed(prepared(), order('continue')), ['AdoptRun', 'ThawRun']],
    ['what was to be ended is ended', feed(told(), order('gone')), ['AdoptRun', 'StopRun grace 0']],
  ])('%s', (_title, run, effects) => {
    expect(restart(run).effects).toEqual(effects);
  });

  test('a start that is found is no start of what is stopped', () => {
    const found = feed(restart(told()), { type: 'RunStarted', handle });
    expect(found.guest?.phase).toBe('frozen');
    expect(feed(restart(restoring()), { type: 'RunStarted', handle }).guest?.phase).toBe('starting');
  });
});

describe('a process that was found here', () => {
  function found(): GuestRun {
    const item = createItem({ command: movable, process: { pid: 7, start: '7' } });
    const { state, effects } = takeProcess(item, { pid: 7, start: '7' }, 1, instant(0), receiverRules);
    return { guest: state, effects: describeEffects(effects), raw: effects, ms: 0 };
  }

  test('is journalled, then taken', () => {
    expect(found().effects).toEqual(['persist running', 'TakeRun']);
  });

  test('is never ended as long as it runs as it was found', () => {
    const released = feed(found(), order('gone'));
    expect(released.guest).toBeNull();
    expect(released.effects).toEqual(['StopRun grace 0', 'RemoveGuest', 'persist nothing']);
    expect(pass(found(), 1e9).guest).toMatchObject({ phase: 'running', stopping: null });
    expect(wakeOf(found())).toBe(0);
  });

  test('is ended once its copy runs elsewhere', () => {
    const gone = feed(
      feed(feed(found(), order('checkpoint', 1)), { type: 'RunFrozen', imageBytes: 9, tookMs: 5 }),
      order('settled'),
    );
    expect(gone.effects).toEqual(['persist frozen, stopping: gone', 'StopRun grace 500']);
  });
});
