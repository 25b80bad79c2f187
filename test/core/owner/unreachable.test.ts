/**
 * Outputs that cannot be reached: who is asked to bring them, what is reported and when, and that the item is never run
 * again because of it.
 */
import { describe, expect, it } from 'vitest';
import { fromRecord, toRecord } from '../../../src/core/owner/owned-item.js';
import { toStatus } from '../../../src/core/owner/item-status.js';
import type { ItemInput } from '../../../src/core/owner/inputs.js';
import { acked, feed, pass, result, returning, running, vacated, withOutputs, type OwnerRun } from './owner-run.js';
import { ownerRules } from '../../support/samples.js';

const FAULT = '10.0.0.2:4711: no answer';
const unreached = (epoch = 1): ItemInput => ({ type: 'HomeUnreached', epoch, reason: FAULT });
const failed: ItemInput = { type: 'HomeFetchFailed', epoch: 1, reason: FAULT, final: false, unreached: true };
const asked = (): OwnerRun => feed(returning(), unreached(), 4000);
const told = (): OwnerRun => feed(asked(), failed, 12_000);

describe('outputs that cannot be fetched', () => {
  it('are requested at once, after the journal has recorded that the item has run', () => {
    expect(asked().effects).toEqual(['persist returning', 'lease 1 to beta: hold 0']);
    expect(asked().raw.at(-1)).toMatchObject({ body: { push_to: ownerRules.urls, renewal: 0 } });
    // A repeated request journals nothing.
    expect(feed(asked(), unreached(), 20_000).effects).toEqual(['lease 1 to beta: hold 0']);
  });

  it('of another epoch, or of an item without outputs, change nothing', () => {
    for (const [run, input] of [
      [returning(), unreached(2)],
      [running(), unreached()],
    ] as const)
      expect(feed(run, input)).toMatchObject({ effects: [], state: run.state });
  });

  it('are reported with exit code, addresses and the faults of both directions, and the item stays', () => {
    expect(toStatus(asked().state)).not.toHaveProperty('unreached');
    expect(toStatus(told().state)).toMatchObject({
      phase: 'returning',
      exit_code: 0,
      unreached: true,
      reason: `exit code 0; its outputs are still on beta: alpha cannot reach beta (${FAULT})`,
    });
    const other = feed(told(), result({ ...withOutputs, unreached: '10.0.0.1:4712: no answer' }), 13_000);
    expect(other.state.reason).toBe(
      `exit code 0; its outputs are still on beta: alpha cannot reach beta (${FAULT}), and beta cannot reach alpha (10.0.0.1:4712: no answer)`,
    );
  });

  it('are opened once if they come inside a result that arrives on both paths', () => {
    const sealed = result({ ...withOutputs, sealed: 'AAAA' });
    const first = feed(told(), sealed, 13_000);
    expect(first.raw.map(({ type }) => type)).toEqual(['OpenHome']);
    expect(feed(first, sealed, 13_001).raw).toEqual([]);
  });

  it('are reported as soon as the receiver reports that it cannot bring them', () => {
    const both = feed(asked(), result({ ...withOutputs, unreached: '10.0.0.1:4712: no answer' }), 8000);
    expect(toStatus(both.state)).toMatchObject({ unreached: true });
    // Until this side is known to fail, too, nothing is reported.
    const early = feed(returning(), result({ ...withOutputs, unreached: '10.0.0.1:4712: no answer' }), 100);
    expect(toStatus(early.state)).not.toHaveProperty('unreached');
  });

  it('are tried again with growing pauses, and never run again while the receiver is heard', () => {
    let run = told();
    const gaps: number[] = [];
    for (let tries = 0; tries < 12; tries += 1) {
      const dueAt = run.state.repeatAt ?? 0;
      gaps.push(dueAt - run.ms);
      run = pass(feed(run, result(withOutputs), dueAt), dueAt);
      expect(run.effects).toEqual(['fetch home 1 from beta']);
      expect(toStatus(run.state)).toMatchObject({ phase: 'returning', unreached: true });
      run = feed(run, failed, dueAt + 1);
    }
    expect(gaps).toEqual(gaps.toSorted((a, b) => a - b));
    expect(gaps.at(-1)).toBe(Math.min(60_000, ownerRules.repeatMs * 2 ** 12));
    expect(run.state).toMatchObject({ epoch: 1, attempts: 1 });
  });

  it('end the item normally, whichever way they arrive', () => {
    const home = feed(feed(told(), { type: 'HomeFetched', epoch: 1 }), { type: 'HomePlaced', epoch: 1 });
    expect(toStatus(home.state)).toMatchObject({ phase: 'done', exit_code: 0, reason: 'exit code 0' });
    expect(toStatus(home.state)).not.toHaveProperty('unreached');
  });

  it('are fetched at once when a person asks, and another failure is reported again', () => {
    const again = feed(told(), { type: 'FetchAsked', reason: 'asked' }, 12_500);
    expect(again.effects).toEqual(['fetch home 1 from beta', 'status returning']);
    expect(toStatus(again.state)).not.toHaveProperty('unreached');
    expect(toStatus(feed(again, failed, 20_000).state)).toMatchObject({ unreached: true });
    // While a fetch is under way, no second one starts.
    expect(feed(returning(), { type: 'FetchAsked', reason: 'asked' }).effects).toEqual(['status returning']);
    expect(feed(running(), { type: 'FetchAsked', reason: 'asked' }).effects).toEqual([]);
  });

  it('are fetched again after a restart of the owner, which knows that the item has run', () => {
    const record = toRecord(told().state);
    const again: OwnerRun = { ...told(), state: fromRecord(record, 0), ms: 0 };
    const resumed = feed(again, { type: 'NodeRestarted', rolledBack: false });
    expect(resumed.effects).toEqual(['fetch home 1 from beta', 'status returning']);
    expect(toStatus(resumed.state)).toMatchObject({ phase: 'returning', exit_code: 0 });
  });

  it('survive a cancel, unless the item was stopped for a move', () => {
    const cancel: ItemInput = { type: 'CancelAsked', reason: 'cancelled on request' };
    for (const run of [returning(), asked(), told()])
      expect(feed(run, cancel)).toMatchObject({ effects: [], state: { phase: 'returning' } });
    expect(feed(vacated(), cancel).state.phase).toBe('cancelled');
  });

  it('of a job that ended before its cancel are fetched', () => {
    const cancelling = feed(running(), { type: 'CancelAsked', reason: 'cancelled on request' });
    expect(feed(cancelling, result({ ...withOutputs, exit_code: 7 })).state).toMatchObject({ phase: 'returning' });
  });
});

describe('inputs that cannot be fetched', () => {
  const ask = (phase: 'fetching' | 'running', from = 'beta'): ItemInput => ({
    type: 'ProgressHeard',
    from,
    progress: { epoch: 1, phase, renewal: 2, push_to: ['https://10.0.0.2:1'] },
  });

  it('are pushed to the receiver that holds the item, while it fetches', () => {
    expect(feed(acked(), ask('fetching')).raw).toContainEqual({
      type: 'PushInputs',
      item: 'j1',
      epoch: 1,
      urls: ['https://10.0.0.2:1'],
    });
    for (const [run, input] of [
      [acked(), ask('fetching', 'gamma')],
      [acked(), ask('running')],
      [running(), ask('fetching')],
    ] as const)
      expect(feed(run, input).raw.map(({ type }) => type)).not.toContain('PushInputs');
  });
});
