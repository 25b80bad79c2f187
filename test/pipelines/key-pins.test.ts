/** Pinned keys: the first one stays, silence frees an id, and there is an end to how many are kept. */
import { describe, expect, test } from 'vitest';
import { createKeyPins, type KeyPins } from '../../src/pipelines/key-pins.js';
import { MEMBERS_MAX } from '../../src/protocol/limits.js';
import { createMember, createView } from '../core/samples.js';
import { createManualClock, type ManualClock } from './manual-clock.js';

const SILENCE_MS = 10 * 60 * 1000;

interface Bench {
  readonly pins: KeyPins;
  readonly clock: ManualClock;
  /** What stands in the journal. */
  readonly kept: Map<string, string>;
}

function createBench(known: Iterable<readonly [string, string]> = []): Bench {
  const clock = createManualClock();
  const kept = new Map(known);
  const view = createView({ ...createMember('beta'), heardAt: SILENCE_MS });
  const pins = createKeyPins(view, clock, new Map(kept), (node, key) => {
    if (key === undefined) kept.delete(node);
    else kept.set(node, key);
  });
  return { pins, clock, kept };
}

describe('key pins', () => {
  test('a first key is taken and kept, another one refused', () => {
    const { pins, kept } = createBench();
    expect(pins.admit('beta', 'first')).toBeUndefined();
    expect(pins.admit('beta', 'second')).toContain('another one than beta was first seen with');
    expect(kept).toEqual(new Map([['beta', 'first']]));
  });

  test('another key is taken when the first was silent for ten minutes', () => {
    const { pins, clock, kept } = createBench([['gamma', 'first']]);
    clock.pass(SILENCE_MS - 1);
    expect(pins.admit('gamma', 'second')).toBeDefined();
    clock.pass(1);
    expect(pins.admit('gamma', 'second')).toBeUndefined();
    expect(kept.get('gamma')).toBe('second');
  });

  test('the key of a partner is not replaced, however long it was silent', () => {
    const clock = createManualClock();
    const partners = new Set(['gamma']);
    const pins = createKeyPins(
      createView(),
      clock,
      new Map([['gamma', 'first']]),
      () => undefined,
      (node) => partners.has(node),
    );
    clock.pass(10 * SILENCE_MS);
    expect(pins.admit('gamma', 'second')).toContain('another one than gamma was first seen with');
    expect(pins.keyOf('gamma')).toBe('first');
    partners.clear();
    expect(pins.admit('gamma', 'second')).toBeUndefined();
  });

  test('when all places are taken, a new one waits until somebody was silent, and takes its place', () => {
    const strangers = Array.from({ length: MEMBERS_MAX - 1 }, (_, index) => [`m${index}`, 'key'] as const);
    const { pins, clock, kept } = createBench([['beta', 'key'], ...strangers]);
    expect(pins.admit('late', 'key')).toBe(`key cannot be kept: there are ${MEMBERS_MAX} already`);
    clock.pass(SILENCE_MS);
    expect(pins.admit('late', 'key')).toBeUndefined();
    expect(kept.size).toBe(MEMBERS_MAX);
    // Heard of only just now.
    expect(kept.has('beta')).toBe(true);
    expect(kept.has('m0')).toBe(false);
  });
});
