/** Pinned keys: the first one stays, silence frees an id, and their number is limited. */
import { describe, expect, it } from 'vitest';
import { createKeyPins, type KeyPins } from '../../../src/pipelines/mesh/key-pins.js';
import { MEMBERS_MAX } from '../../../src/protocol/limits.js';
import { createMember, createTable } from '../../support/samples.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

const SILENCE_MS = 10 * 60 * 1000;

interface Setup {
  readonly pins: KeyPins;
  readonly clock: ManualClock;
  /** Pins in the journal. */
  readonly kept: Map<string, string>;
}

function createSetup(known: Iterable<readonly [string, string]> = []): Setup {
  const clock = createManualClock();
  const kept = new Map(known);
  const members = createTable({ ...createMember('beta'), heardAt: SILENCE_MS });
  const pins = createKeyPins(members, clock, new Map(kept), (node, key) => {
    if (key === undefined) kept.delete(node);
    else kept.set(node, key);
  });
  return { pins, clock, kept };
}

describe('key pins', () => {
  it('a first key is pinned, another one refused', () => {
    const { pins, kept } = createSetup();
    expect(pins.admit('beta', 'first')).toBeUndefined();
    expect(pins.admit('beta', 'second')).toContain('key differs from the one that beta was first seen with');
    expect(kept).toEqual(new Map([['beta', 'first']]));
  });

  it('another key is accepted when the first was silent for ten minutes', () => {
    const { pins, clock, kept } = createSetup([['gamma', 'first']]);
    clock.pass(SILENCE_MS - 1);
    expect(pins.admit('gamma', 'second')).toBeDefined();
    clock.pass(1);
    expect(pins.admit('gamma', 'second')).toBeUndefined();
    expect(kept.get('gamma')).toBe('second');
  });

  it('the key of a partner is not replaced, however long it was silent', () => {
    const clock = createManualClock();
    const partners = new Set(['gamma']);
    const pins = createKeyPins(
      createTable(),
      clock,
      new Map([['gamma', 'first']]),
      () => undefined,
      (node) => partners.has(node),
    );
    clock.pass(10 * SILENCE_MS);
    expect(pins.admit('gamma', 'second')).toContain('key differs from the one that gamma was first seen with');
    expect(pins.keyOf('gamma')).toBe('first');
    partners.clear();
    expect(pins.admit('gamma', 'second')).toBeUndefined();
  });

  it('when all places are taken, a new member waits until another was silent, and takes its place', () => {
    const strangers = Array.from({ length: MEMBERS_MAX - 1 }, (_, index) => [`m${index}`, 'key'] as const);
    const { pins, clock, kept } = createSetup([['beta', 'key'], ...strangers]);
    expect(pins.admit('late', 'key')).toBe(`key cannot be kept: there are ${MEMBERS_MAX} already`);
    clock.pass(SILENCE_MS);
    expect(pins.admit('late', 'key')).toBeUndefined();
    expect(kept.size).toBe(MEMBERS_MAX);
    // Heard only now.
    expect(kept.has('beta')).toBe(true);
    expect(kept.has('m0')).toBe(false);
  });
});
