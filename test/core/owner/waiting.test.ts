/** An item from its submission until somebody claims it. */
import { describe, expect, test } from 'vitest';
import type { OwnerInput } from '../../../src/core/owner/inputs.js';
import { wakeTime } from '../../../src/core/owner/step.js';
import { ownerRules } from '../samples.js';
import { bundle, chosen, claim, feed, offered, pass, submit, type OwnerRun } from './owner-run.js';

const woken: OwnerInput = { type: 'WakeChosen', reason: 'the mesh sum is negative' };
const passedOver: OwnerInput = {
  type: 'ItemPassedOver',
  reason: 'no receiver',
  blocked: [{ node: 'beta', reason: 'it is draining' }],
};

describe('submitting', () => {
  test.each<[string, OwnerRun, string, readonly string[]]>([
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
    ['a deferred item sleeps', submit({ deferred: true }), 'deferred', ['persist deferred']],
  ])('%s', (_title, run, phase, effects) => {
    expect(run.state.phase).toBe(phase);
    expect(run.effects).toEqual(effects);
  });
});

describe('waiting', () => {
  const staging = submit({ inputs: ['/a'] });
  test.each<[string, OwnerRun, OwnerInput, string, readonly string[]]>([
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
    ['an item that is passed over shows why', submit(), passedOver, 'queued', ['status queued']],
    ['an item that is offered is not passed over', offered(), passedOver, 'offered', []],
    ['an item that is offered is not offered again', offered(), chosen, 'offered', []],
    ['a sleeping item is not offered', submit({ deferred: true }), chosen, 'deferred', []],
    ['a sleeping item wakes', submit({ deferred: true }), woken, 'queued', ['status queued']],
    ['an item that does not sleep cannot wake', submit(), woken, 'queued', []],
    ['a claim without an offer changes nothing', submit(), claim('beta', 0), 'queued', []],
  ])('%s', (_title, run, input, phase, effects) => {
    const after = feed(run, input);
    expect(after.state.phase).toBe(phase);
    expect(after.effects).toEqual(effects);
  });

  test('the reason of a staging fault reaches the status', () => {
    const { state } = feed(staging, { type: 'StageFailed', reason: 'no such file: /a' });
    expect(state.reason).toBe('its inputs could not be staged: no such file: /a');
  });
});

describe('a round of offers', () => {
  test('an offer is repeated while it stands', () => {
    expect(pass(offered(), 99).effects).toEqual([]);
    expect(pass(offered(), 100).effects).toEqual(['offer 1']);
  });

  test('an offer nobody claimed ends its round, and the next one is a new epoch', () => {
    const after = pass(offered(), 1000);
    expect(after.state).toMatchObject({ phase: 'queued', reason: 'nobody claimed it', round: null });
    expect(feed(after, chosen).effects).toEqual(['offer 2', 'status offered']);
  });

  test('it asks to be woken for the repeat, the window and the end', () => {
    expect(wakeTime(offered().state, ownerRules)).toBe(100);
    expect(wakeTime(feed(offered(), claim('beta', 1)).state, ownerRules)).toBe(50);
    expect(wakeTime(pass(offered(), 990).state, ownerRules)).toBe(1000);
    expect(wakeTime(submit().state, ownerRules)).toBeUndefined();
  });
});
