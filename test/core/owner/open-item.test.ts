/** The status of a new item is published at once, whatever it waits for. */
import { expect, it } from 'vitest';
import { openItem } from '../../../src/core/owner/step.js';
import type { Item } from '../../../src/protocol/item.js';
import { createItem, instant, ownerRules } from '../../support/samples.js';

const cases: readonly (readonly [title: string, change: Partial<Item>, phase: string])[] = [
  ['waits in the queue', {}, 'queued'],
  ['sleeps until the sum is negative', { deferred: true }, 'deferred'],
  ['has inputs to be staged', { inputs: ['/tmp/a'] }, 'staging'],
];

it.each(cases)('a new item that %s is journalled, then publishes its status', (_title, change, phase) => {
  const { state, effects } = openItem({ type: 'ItemSubmitted', item: createItem(change) }, instant(0), ownerRules);
  expect(state.phase).toBe(phase);
  expect(effects[0]).toMatchObject({ type: 'Persist' });
  expect(effects.at(-1)).toMatchObject({ type: 'Publish', kind: 'status', body: { phase } });
});
