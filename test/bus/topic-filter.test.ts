import { describe, expect, it } from 'vitest';
import { matchesFilter } from '../../src/bus/topic-filter.js';

describe('a topic filter', () => {
  it.each([
    ['takes the topic it names', 'a/b', 'a/b', true],
    ['takes no longer topic', 'a/b', 'a/b/c', false],
    ['takes no shorter topic', 'a/b/c', 'a/b', false],
    ['takes one level for +', 'a/+/c', 'a/b/c', true],
    ['takes not two levels for +', 'a/+', 'a/b/c', false],
    ['takes no missing level for +', 'a/+', 'a', false],
    ['takes an empty level for +', 'a/+', 'a/', true],
    ['takes all below for #', 'a/#', 'a/b/c', true],
    ['takes the parent for # too', 'a/#', 'a', true],
    ['takes everything for # alone', '#', 'a/b', true],
    ['takes no system topic for #', '#', '$SYS/x', false],
    ['takes no system topic for +', '+/x', '$SYS/x', false],
    ['takes a system topic that it names', '$SYS/#', '$SYS/x', true],
    ['is case-sensitive', 'A/b', 'a/b', false],
  ])('%s', (_title, filter, topic, expected) => {
    expect(matchesFilter(filter, topic)).toBe(expected);
  });
});
