/** Pushed outputs and inputs, seen from the receiver: what it does, publishes and keeps. */
import { describe, expect, it } from 'vitest';
import { REASON_CHARS_MAX } from '../../../src/protocol/limits.js';
import { receiverRules } from '../../support/samples.js';
import { collecting, ended, exited, feed, fetching, lease, pass, running, type GuestRun } from './receiver-run.js';

const push_to = ['https://10.0.0.1:4711'];
const bundle = { sha256: 'c'.repeat(64), bytes: 9, count: 2 };
const withOutputs = (): GuestRun => feed(collecting(), { type: 'Collected', bundle });
const asked = (ms = 100): GuestRun => feed(withOutputs(), lease('hold', 0, { push_to }), ms);

describe('outputs that the owner cannot fetch', () => {
  it('are pushed to the requested address, one push at a time', () => {
    expect(asked().raw).toEqual([{ type: 'PushOutputs', guest: 'alpha/j1/1', urls: push_to }]);
    expect(feed(asked(), lease('hold', 0, { push_to })).raw).toEqual([]);
    const over = feed(asked(), { type: 'PushEnded', fault: undefined });
    expect(over.raw).toEqual([]);
    expect(feed(over, lease('hold', 0, { push_to })).raw).toHaveLength(1);
  });

  it('are not pushed for another epoch or node, or before there are any', () => {
    expect(feed(withOutputs(), lease('hold', 0, { push_to, epoch: 2 })).raw).toEqual([]);
    expect(feed(withOutputs(), lease('hold', 0, { push_to, to: 'gamma' })).raw).toEqual([]);
    for (const run of [ended(), running(), collecting(), fetching()])
      expect(feed(run, lease('hold', 0, { push_to })).raw.map(({ type }) => type)).not.toContain('PushOutputs');
  });

  it('that cannot be pushed are reported at once, with the reason, until they can', () => {
    const failed = feed(asked(), { type: 'PushEnded', fault: '10.0.0.1:4711: no answer' }, 4100);
    expect(failed.raw).toMatchObject([{ kind: 'result', body: { unreached: '10.0.0.1:4711: no answer' } }]);
    const again = feed(failed, lease('hold', 0, { push_to }), 5000);
    const brought = feed(again, { type: 'PushEnded', fault: undefined }, 5100);
    expect(brought.guest?.result).not.toHaveProperty('unreached');
  });

  it('have their fault cut to what a message may carry', () => {
    const fault = 'no answer; '.repeat(200);
    const failed = feed(asked(), { type: 'PushEnded', fault }, 4100);
    expect(failed.guest?.result?.unreached).toHaveLength(REASON_CHARS_MAX);
    const refused = feed(fetching(), { type: 'FetchFailed', reason: fault });
    expect(refused.guest?.result?.reason).toHaveLength(REASON_CHARS_MAX);
  });

  it('are kept as long as the owner asks for them', () => {
    const { keepMs } = receiverRules;
    const late = feed(withOutputs(), lease('hold', 0, { push_to }), keepMs - 1);
    expect(pass(feed(late, { type: 'PushEnded', fault: undefined }), keepMs + 1).guest?.phase).toBe('ended');
    expect(pass(withOutputs(), keepMs + 1).guest).toBeNull();
  });
});

describe('inputs that cannot be fetched', () => {
  it('are requested at once and with each renewal, as long as they are missing', () => {
    const wanted = feed(fetching(), { type: 'FetchUnreached' }, 10);
    expect(wanted.raw).toMatchObject([{ kind: 'progress', body: { phase: 'fetching', push_to: receiverRules.urls } }]);
    const later = feed(wanted, { type: 'FetchAdvanced', bytes: 1, total: 2 }, 20);
    expect(later.raw).toMatchObject([{ kind: 'progress', body: { push_to: receiverRules.urls } }]);
    expect(JSON.stringify(feed(fetching(), { type: 'FetchAdvanced', bytes: 1, total: 2 }).raw)).not.toContain(
      'push_to',
    );
    expect(feed(running(), { type: 'FetchUnreached' }).raw).toEqual([]);
  });
});

describe('a cancel of a job that has ended', () => {
  const cancelled = (): GuestRun => feed(running(), lease('cancel', 0));

  it('leaves its result as it is if no signal had reached it', () => {
    const run = feed(cancelled(), { ...exited, exitCode: 3, untouched: true } as typeof exited);
    expect(run.guest).toMatchObject({ phase: 'collecting', result: { outcome: 'exited', exit_code: 3 } });
  });

  it('counts as a cancel if the run ended after the request', () => {
    expect(feed(cancelled(), exited).guest).toMatchObject({ phase: 'ended', result: { outcome: 'cancelled' } });
  });
});
