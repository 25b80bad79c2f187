/** From the claim to the start of the run: what is accepted, what is refused, and what is journalled first. */
import { explain } from '../../../src/protocol/reasons.js';
import { describe, expect, it } from 'vitest';
import { command } from '../../support/samples.js';
import {
  ack,
  ackWithFiles,
  CLAIM,
  claimed,
  ended,
  feed,
  fetching,
  pass,
  running,
  starting,
  wakeOf,
} from './receiver-run.js';

describe('a claim', () => {
  it('is published, and repeated when the owner repeats its offer', () => {
    expect(claimed().effects).toEqual(['claim 1 rank 0']);
    const again = feed(claimed(), { type: 'OfferRepeated', slotsFree: 1, projectedRatio: 0.2 }, 100);
    expect(again.effects).toEqual(['claim 1 rank 0']);
    expect(again.guest).toMatchObject({ claimedAt: 0, claimRenewal: CLAIM });
  });

  it('is withdrawn if it is not acked', () => {
    expect(pass(claimed(), 299).guest?.phase).toBe('claimed');
    expect(pass(claimed(), 300)).toMatchObject({ guest: null, effects: [] });
  });

  it('is withdrawn if the ack names another node', () => {
    expect(feed(claimed(), ack({ to: 'gamma' }))).toMatchObject({ guest: null, effects: [] });
  });

  it('grants nothing, and is released silently', () => {
    expect(
      feed(claimed(), { type: 'LeaseHeard', lease: { epoch: 1, to: 'beta', renewal: 0, order: 'gone' } }).guest,
    ).toBeNull();
  });
});

describe('an ack', () => {
  it('starts the command that it carries, journalled first, with a watchdog until lease and grace end', () => {
    const run = feed(claimed(), ack(), 200);
    expect(run.effects).toEqual(['persist starting', 'StartRun guard 6500']);
    expect(run.guest).toMatchObject({ phase: 'starting', leaseEndsAt: 6000 });
  });

  it('fetches what it does not carry, journalled first', () => {
    expect(fetching().effects).toEqual(['persist fetching', 'progress 1 fetching 1002', 'FetchInputs']);
  });

  it.each<[string, ReturnType<typeof ack>, number, string]>([
    ['that arrives after its lease has ended', ack(), 6000, 'the ack arrived after its lease had ended'],
    ['that answers an earlier claim', ack({ renewal: CLAIM - 1 }), 10, 'the ack answers an earlier claim'],
    [
      'that carries nothing to run',
      ack({ command: undefined }),
      10,
      'the ack carries neither a command nor a transport',
    ],
    ['that does not say what to fetch', ack({ transport: 'https' }), 10, 'the ack carries no manifest_sha256'],
    ['of an item that cannot be taken after all', ack({}, explain('draining')), 10, 'it is draining'],
  ])('%s is refused', (_title, input, ms, reason) => {
    const run = feed(claimed(), input, ms);
    expect(run.effects).toEqual(['result 1 refused']);
    expect(run.guest).toMatchObject({ phase: 'ended', result: { outcome: 'refused', reason } });
  });

  it('is answered when it is repeated, and starts nothing again', () => {
    expect(feed(running(), ack()).effects).toEqual(['progress 1 running 1003']);
    expect(feed(fetching(), ackWithFiles()).effects).toEqual(['progress 1 fetching 1003']);
    expect(feed(starting(), ack()).effects).toEqual([]);
    expect(feed(ended(), ack(), 50).guest).toMatchObject({ repeatAt: 50 });
  });

  it('that names another node changes nothing once the item is held', () => {
    expect(feed(running(), ack({ to: 'gamma' }))).toMatchObject({ guest: running().guest, effects: [] });
  });
});

describe('inputs', () => {
  it('renew the lease while they are fetched, with the bytes', () => {
    const run = feed(fetching(), { type: 'FetchAdvanced', bytes: 5, total: 10 }, 100);
    expect(run.raw).toMatchObject([{ kind: 'progress', body: { bytes: 5, bytes_total: 10, renewal: 1003 } }]);
  });

  it('start the command of their manifest once fetched', () => {
    const run = feed(fetching(), { type: 'InputsFetched', command }, 100);
    expect(run.effects).toEqual(['persist starting', 'StartRun guard 6500']);
  });

  it.each<[string, Parameters<typeof feed>[1], string]>([
    ['a manifest without a command', { type: 'InputsFetched', command: undefined }, 'its manifest carries no command'],
    [
      'inputs that cannot be fetched',
      { type: 'FetchFailed', reason: 'refused' },
      'its inputs could not be fetched: refused',
    ],
  ])('%s: refused', (_title, input, reason) => {
    expect(feed(fetching(), input).guest).toMatchObject({ phase: 'ended', result: { outcome: 'refused', reason } });
  });

  it('are refused if the lease ends before the start', () => {
    expect(wakeOf(fetching())).toBe(2000);
    expect(pass(fetching(), 6000).guest).toMatchObject({
      result: { outcome: 'refused', reason: 'its lease ended before it started' },
    });
  });

  it('are refused if the start fails', () => {
    const run = feed(starting(), { type: 'RunFailed', reason: 'no process' });
    expect(run.guest).toMatchObject({ result: { outcome: 'refused', reason: 'it could not be started: no process' } });
  });

  it('ignore reports that come after the fetch', () => {
    expect(feed(running(), { type: 'FetchFailed', reason: 'x' }).effects).toEqual([]);
    expect(feed(running(), { type: 'InputsFetched', command }).effects).toEqual([]);
    expect(feed(running(), { type: 'RunFailed', reason: 'x' }).effects).toEqual(['result 1 died']);
  });
});
