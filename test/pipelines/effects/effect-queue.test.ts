/** The effect queue: nothing behind a write is performed before the write is safe, and each subject keeps its order. */
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../../src/core/effects.js';
import type { Journal } from '../../../src/journal/journal.js';
import { createEffectQueue, type EffectQueue } from '../../../src/pipelines/effects/effect-queue.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

const persist: Effect = { type: 'Persist', key: 'item/a', value: 1 };

function remove(item: string): Effect {
  return { type: 'RemoveItem', item, all: false };
}

interface Setup {
  readonly effectQueue: EffectQueue;
  readonly clock: ManualClock;
  readonly log: string[];
  /** Ends the oldest open write. */
  endWrite(error?: Error): void;
}

function setUp(): Setup {
  const clock = createManualClock();
  const log: string[] = [];
  const writes: ((error?: Error) => void)[] = [];
  const journal: Pick<Journal, 'write'> = { write: (_changes, done) => void writes.push(done) };
  const effectQueue = createEffectQueue({
    journal: { load: () => undefined, close: () => undefined, ...journal },
    clock,
    perform: (subject, effect) => log.push(effect.type === 'RemoveItem' ? `${subject} ${effect.item}` : effect.type),
    onFault: (fault) => log.push(`fault ${fault}`),
  });
  return { effectQueue, clock, log, endWrite: (error) => writes.shift()?.(error) };
}

describe('the effect queue', () => {
  it('performs what stands before a write at once, and what stands behind it when the write is safe', () => {
    const { effectQueue, log, endWrite } = setUp();
    effectQueue.enqueue('a', [remove('1'), persist, remove('2')]);
    expect(log).toEqual(['a 1']);
    endWrite();
    expect(log).toEqual(['a 1', 'a 2']);
  });

  it('later effects wait behind the same write; those of another subject do not', () => {
    const { effectQueue, log, endWrite } = setUp();
    effectQueue.enqueue('a', [persist, remove('1')]);
    effectQueue.enqueue('a', [remove('2'), persist, remove('3')]);
    effectQueue.enqueue('b', [remove('1')]);
    expect(log).toEqual(['b 1']);
    endWrite();
    expect(log).toEqual(['b 1', 'a 1', 'a 2']);
    endWrite();
    expect(log).toEqual(['b 1', 'a 1', 'a 2', 'a 3']);
  });

  it('a failed write is retried, and everything behind it waits for that long', () => {
    const { effectQueue, clock, log, endWrite } = setUp();
    effectQueue.enqueue('a', [persist, remove('1')]);
    endWrite(new Error('no space'));
    clock.pass(999);
    expect(log).toEqual(['fault no space']);
    clock.pass(1);
    endWrite(new Error('no space'));
    clock.pass(1000);
    endWrite();
    expect(log).toEqual(['fault no space', 'fault undefined', 'a 1']);
  });

  it('calls back when everything decided so far has been performed', () => {
    const { effectQueue, log, endWrite } = setUp();
    effectQueue.enqueue('a', [persist, remove('1')]);
    effectQueue.after('a', () => log.push('done'));
    effectQueue.after('b', () => log.push('nothing to wait for'));
    expect(log).toEqual(['nothing to wait for']);
    endWrite();
    expect(log).toEqual(['nothing to wait for', 'a 1', 'done']);
  });

  it('performs nothing more once it is closed', () => {
    const { effectQueue, log, endWrite } = setUp();
    effectQueue.enqueue('a', [persist, remove('1')]);
    effectQueue.close();
    endWrite();
    effectQueue.enqueue('b', [remove('1')]);
    expect(log).toEqual([]);
  });
});
