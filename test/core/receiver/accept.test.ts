/** From the claim to the start of the run: what is accepted, what is refused, and in which order it is written down. */
import { describe, expect, test } from 'vitest';
import { command } from '../samples.js';
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
  test('is said, and said again when the owner repeats its offer', () => {
    expect(claimed().effects).toEqual(['claim 1 rank 0']);
    const again = feed(claimed(), { type: 'OfferRepeated', slotsFree: 1, projectedRatio: 0.2 }, 100);
    expect(again.effects).toEqual(['claim 1 rank 0']);
    expect(again.guest).toMatchObject({ claimedAt: 0, claimRenewal: CLAIM });
  });

  test('is given up when nobody acks it', () => {
    expect(pass(claimed(), 299).guest?.phase).toBe('claimed');
    expect(pass(claimed(), 300)).toMatchObject({ guest: null, effects: [] });
  });

  test('is given up when the ack names another one', () => {
    expect(feed(claimed(), ack({ to: 'gamma' }))).toMatchObject({ guest: null, effects: [] });
  });

  test('is no right to anything: it is released without a word', () => {
    expect(
      feed(claimed(), { type: 'LeaseHeard', lease: { epoch: 1, to: 'beta', renewal: 0, order: 'gone' } }).guest,
    ).toBeNull();
  });
});

describe('an ack', () => {
  test('starts a command that it carries, written down first; the guardian ends with the lease and the grace', () => {
    const run = feed(claimed(), ack(), 200);
    expect(run.effects).toEqual(['persist starting', 'StartRun guard 6500']);
    expect(run.guest).toMatchObject({ phase: 'starting', leaseEndsAt: 6000 });
  });

  test('fetches what it does not carry, written down first', () => {
    expect(fetching().effects).toEqual(['persist fetching', 'progress 1 fetching 1002', 'FetchInputs']);
  });

  test.each<[string, ReturnType<typeof ack>, number, string]>([
    ['that comes when its lease is over', ack(), 6000, 'the ack came when its lease was over'],
    ['that answers an earlier claim', ack({ renewal: CLAIM - 1 }), 10, 'the ack answers an earlier claim'],
    [
      'that carries nothing to run',
      ack({ command: undefined }),
      10,
      'the ack carries neither a command nor a transport',
    ],
    ['that says not what to fetch', ack({ transport: 'https' }), 10, 'the ack carries no manifest_sha256'],
    ['of an item that cannot be taken after all', ack({}, 'it is draining'), 10, 'it is draining'],
  ])('%s is refused', (_title, input, ms, reason) => {
    const run = feed(claimed(), input, ms);
    expect(run.effects).toEqual(['result 1 refused']);
    expect(run.guest).toMatchObject({ phase: 'ended', result: { outcome: 'refused', reason } });
  });

  test('that is repeated is answered and starts nothing', () => {
    expect(feed(running(), ack()).effects).toEqual(['progress 1 running 1003']);
    expect(feed(fetching(), ackWithFiles()).effects).toEqual(['progress 1 fetching 1003']);
    expect(feed(starting(), ack()).effects).toEqual([]);
    expect(feed(ended(), ack(), 50).guest).toMatchObject({ repeatAt: 50 });
  });

  test('that names another one changes nothing once the item is held', () => {
    expect(feed(running(), ack({ to: 'gamma' }))).toMatchObject({ guest: running().guest, effects: [] });
  });
});

describe('inputs', () => {
  test('progress of the fetch renews the lease and tells the bytes', () => {
    const run = feed(fetching(), { type: 'FetchAdvanced', bytes: 5, total: 10 }, 100);
    expect(run.raw).toMatchObject([{ kind: 'progress', body: { bytes: 5, bytes_total: 10, renewal: 1003 } }]);
  });

  test('fetched inputs start the command of the manifest', () => {
    const run = feed(fetching(), { type: 'InputsFetched', command }, 100);
    expect(run.effects).toEqual(['persist starting', 'StartRun guard 6500']);
  });

  test.each<[string, Parameters<typeof feed>[1], string]>([
    ['a manifest without a command', { type: 'InputsFetched', command: undefined }, 'its manifest carries no command'],
    ['inputs that do not come', { type: 'FetchFailed', reason: 'refused' }, 'its inputs could not be fetched: refused'],
  ])('%s: refused', (_title, input, reason) => {
    expect(feed(fetching(), input).guest).toMatchObject({ phase: 'ended', result: { outcome: 'refused', reason } });
  });

  test('a lease that ends before the start refuses the item', () => {
    expect(wakeOf(fetching())).toBe(2000);
    expect(pass(fetching(), 6000).guest).toMatchObject({
      result: { outcome: 'refused', reason: 'its lease ended before it started' },
    });
  });

  test('a start that failed refuses the item', () => {
    const run = feed(starting(), { type: 'RunFailed', reason: 'no process' });
    expect(run.guest).toMatchObject({ result: { outcome: 'refused', reason: 'it could not be started: no process' } });
  });

  test('what comes when the fetch is over changes nothing', () => {
    expect(feed(running(), { type: 'FetchFailed', reason: 'x' }).effects).toEqual([]);
    expect(feed(running(), { type: 'InputsFetched', command }).effects).toEqual([]);
    expect(feed(running(), { type: 'RunFailed', reason: 'x' }).effects).toEqual(['result 1 died']);
  });
});
