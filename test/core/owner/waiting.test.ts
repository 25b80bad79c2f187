/** An item from its submission to the first claim. */
import { describe, expect, it } from 'vitest';
import type { ItemInput } from '../../../src/core/owner/inputs.js';
import { nextTimerAt } from '../../../src/core/owner/step.js';
import { ownerRules } from '../../support/samples.js';
import { bundle, chosen, claim, feed, offered, pass, submit, type OwnerRun } from './owner-run.js';

const woken: ItemInput = { type: 'WakeChosen', reason: 'the mesh sum is negative' };
const passedOver: ItemInput = {
  type: 'ItemPassedOver',
  reason: 'no receiver',
  code: 'no-receiver',
  blocked: [{ node: 'beta', reason: 'it is draining', code: 'draining' }],
};

describe('submitting', () => {
  it.each<[string, OwnerRun, string, readonly string[]]>([
    ['an item with nothing to fetch waits at once', submit(), 'queued', ['persist queued']],
    [
      'an item with inputs is journalled before it is staged',
      submit({ inputs: ['/a'] }),
      'staging',
      ['persist staging', 'Stage'],
    ],
    [
      'a command with an environment is staged, so that only its receiver reads it',
      submit({ command: { argv: ['true'], env: { TOKEN: 'x' }, outputs: [], migrate: 'never' } }),
      'staging',
      ['persist staging', 'Stage'],
    ],
    ['a deferred item waits for the sum', submit({ deferred: true }), 'deferred', ['persist deferred']],
  ])('%s', (_title, run, phase, effects) => {
    expect(run.state.phase).toBe(phase);
    expect(run.effects).toEqual(effects);
  });
});

describe('waiting', () => {
  const staging = submit({ inputs: ['/a'] });
  it.each<[string, OwnerRun, ItemInput, string, readonly string[]]>([
    [
      'staged inputs lead into the queue',
      staging,
      { type: 'ItemStaged', bundle, image: false },
      'queued',
      ['persist queued', 'status queued'],
    ],
    [
      'inputs that cannot be staged end the item',
      staging,
      { type: 'StageFailed', reason: 'no such file: /a' },
      'failed',
      ['persist failed', 'status failed'],
    ],
    ['an item that is still staged is not offered', staging, chosen, 'staging', []],
    ['a chosen item is offered with the next epoch', submit(), chosen, 'offered', ['offer 1', 'status offered']],
    ['an item that is passed over publishes why', submit(), passedOver, 'queued', ['status queued']],
    ['an item that is offered is not passed over', offered(), passedOver, 'offered', []],
    ['an item that is offered is not offered again', offered(), chosen, 'offered', []],
    ['a deferred item is not offered', submit({ deferred: true }), chosen, 'deferred', []],
    ['a deferred item wakes', submit({ deferred: true }), woken, 'queued', ['status queued']],
    ['an item that is not deferred cannot wake', submit(), woken, 'queued', []],
    ['a claim without an offer changes nothing', submit(), claim('beta', 0), 'queued', []],
  ])('%s', (_title, run, input, phase, effects) => {
    const after = feed(run, input);
    expect(after.state.phase).toBe(phase);
    expect(after.effects).toEqual(effects);
  });

  it('publishes the reason of a failed staging', () => {
    const { state } = feed(staging, { type: 'StageFailed', reason: 'no such file: /a' });
    expect(state.reason).toBe('its inputs could not be staged: no such file: /a');
  });
});

describe('a round of offers', () => {
  it('repeats its offer while it is open', () => {
    expect(pass(offered(), 99).effects).toEqual([]);
    expect(pass(offered(), 100).effects).toEqual(['offer 1']);
  });

  it('ends without a claim, and the next one has a new epoch', () => {
    const after = pass(offered(), 1000);
    expect(after.state).toMatchObject({ phase: 'queued', reason: 'nobody claimed it', round: null });
    expect(feed(after, chosen).effects).toEqual(['offer 2', 'status offered']);
  });

  it('asks for a timer for the repeat, the window and the end', () => {
    expect(nextTimerAt(offered().state, ownerRules)).toBe(100);
    expect(nextTimerAt(feed(offered(), claim('beta', 1)).state, ownerRules)).toBe(50);
    expect(nextTimerAt(pass(offered(), 990).state, ownerRules)).toBe(1000);
    expect(nextTimerAt(submit().state, ownerRules)).toBeUndefined();
  });
});
