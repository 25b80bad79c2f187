/** The gate: nothing behind a write is done before the write is safe, and each subject keeps its order. */
import { describe, expect, test } from 'vitest';
import type { Effect } from '../../src/core/effects.js';
import type { Journal } from '../../src/journal/journal.js';
import { createGate, type Gate } from '../../src/pipelines/gate.js';
import { createManualClock, type ManualClock } from './manual-clock.js';

const persist: Effect = { type: 'Persist', key: 'item/a', value: 1 };

function remove(item: string): Effect {
  return { type: 'RemoveItem', item, all: false };
}

interface Bench {
  readonly gate: Gate;
  readonly clock: ManualClock;
  readonly log: string[];
  /** Ends the oldest open write. */
  endWrite(error?: Error): void;
}

function setUp(): Bench {
  const clock = createManualClock();
  const log: string[] = [];
  const writes: ((error?: Error) => void)[] = [];
  const journal: Pick<Journal, 'write'> = { write: (_changes, done) => void writes.push(done) };
  const gate = createGate({
    journal: { load: () => undefined, close: () => undefined, ...journal },
    clock,
    perform: (subject, effect) => log.push(effect.type === 'RemoveItem' ? `${subject} ${effect.item}` : effect.type),
    faulty: (fault) => log.push(`fault ${fault}`),
  });
  return { gate, clock, log, endWrite: (error) => writes.shift()?.(error) };
}

describe('the gate', () => {
  test('does what stands before a write at once, and what stands behind it when it is safe', () => {
    const { gate, log, endWrite } = setUp();
    gate.take('a', [remove('1'), persist, remove('2')]);
    expect(log).toEqual(['a 1']);
    endWrite();
    expect(log).toEqual(['a 1', 'a 2']);
  });

  test('what is decided later waits behind the same write; another subject does not', () => {
    const { gate, log, endWrite } = setUp();
    gate.take('a', [persist, remove('1')]);
    gate.take('a', [remove('2'), persist, remove('3')]);
    gate.take('b', [remove('1')]);
    expect(log).toEqual(['b 1']);
    endWrite();
    expect(log).toEqual(['b 1', 'a 1', 'a 2']);
    endWrite();
    expect(log).toEqual(['b 1', 'a 1', 'a 2', 'a 3']);
  });

  test('a write that fails is tried again, and all behind it waits so long', () => {
    const { gate, clock, log, endWrite } = setUp();
    gate.take('a', [persist, remove('1')]);
    endWrite(new Error('no space'));
    clock.pass(999);
    expect(log).toEqual(['fault no space']);
    clock.pass(1);
    endWrite(new Error('no space'));
    clock.pass(1000);
    endWrite();
    expect(log).toEqual(['fault no space', 'fault undefined', 'a 1']);
  });

  test('calls back when all that was decided so far is done', () => {
    const { gate, log, endWrite } = setUp();
    gate.take('a', [persist, remove('1')]);
    gate.after('a', () => log.push('done'));
    gate.after('b', () => log.push('nothing to wait for'));
    expect(log).toEqual(['nothing to wait for']);
    endWrite();
    expect(log).toEqual(['nothing to wait for', 'a 1', 'done']);
  });

  test('a closed gate does nothing more', () => {
    const { gate, log, endWrite } = setUp();
    gate.take('a', [persist, remove('1')]);
    gate.close();
    endWrite();
    gate.take('b', [remove('1')]);
    expect(log).toEqual([]);
  });
});
