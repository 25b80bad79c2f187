/** The end of an item is dated in running time, not by a wall clock that may have been wrong. */
import { expect, it } from 'vitest';
import { writeItemRecord } from '../../../src/core/owner/item-record.js';
import { fromRecord, toRecord } from '../../../src/core/owner/owned-item.js';
import { stepOwner } from '../../../src/core/owner/step.js';
import { recoverJournal } from '../../../src/node/recover-journal.js';
import { instant, ownerRules } from '../../support/samples.js';
import { feed, result, running } from './owner-run.js';

const ended = feed(running(), result({ exit_code: 0 })).state;

it('an end is dated, and the journal keeps the date', () => {
  expect(ended).toMatchObject({ phase: 'done', endedRunningMs: ownerRules.runningMs });
  const entries = [{ key: 'item/k1', value: structuredClone(writeItemRecord(toRecord(ended))) }];
  expect(recoverJournal(entries, 'run', 0).items[0]).toMatchObject({ endedRunningMs: ownerRules.runningMs });
});

it('an end journalled by an earlier version is dated at the next start, once', () => {
  const { endedRunningMs: _date, ...old } = toRecord(ended);
  const rules = { ...ownerRules, runningMs: 7000 };
  const restarted = { type: 'NodeRestarted', rolledBack: false } as const;
  const { state, effects } = stepOwner(fromRecord(old, 0), restarted, instant(0), rules);
  expect(state.endedRunningMs).toBe(7000);
  expect(effects[0]).toMatchObject({ type: 'Persist', value: { endedRunningMs: 7000 } });
  const again = stepOwner(fromRecord(toRecord(state), 0), restarted, instant(0), { ...rules, runningMs: 9000 });
  expect(again.state.endedRunningMs).toBe(7000);
  expect(again.effects.some((effect) => effect.type === 'Persist')).toBe(false);
});

it('running time continues from the last journalled value, even if that is the date of an end', () => {
  const item = { key: 'item/k1', value: structuredClone(writeItemRecord(toRecord(ended))) };
  expect(recoverJournal([{ key: 'node/running', value: 500 }], 'run', 0).runningMs).toBe(500);
  expect(recoverJournal([{ key: 'node/running', value: 500 }, item], 'run', 0).runningMs).toBe(ownerRules.runningMs);
  const odd = recoverJournal([{ key: 'node/running', value: Number.NaN }], 'run', 0);
  expect(odd).toMatchObject({ runningMs: 0, faults: ['node/running'] });
  const retired = recoverJournal([{ key: 'retired/k9', value: 900 }], 'run', 0);
  expect(retired).toMatchObject({ retired: new Map([['k9', 900]]), faults: [] });
});
