import { describe, expect, it } from 'vitest';
import { matchesFilter } from '../../src/bus/topic-filter.js';

describe('a topic filter', () => {
  it.each([
    ['matches the topic it names', 'a/b', 'a/b', true],
    ['does not match a longer topic', 'a/b', 'a/b/c', false],
    ['does not match a shorter topic', 'a/b/c', 'a/b', false],
    ['matches one level with +', 'a/+/c', 'a/b/c', true],
    ['does not match two levels with +', 'a/+', 'a/b/c', false],
    ['does not match a missing level with +', 'a/+', 'a', false],
    ['matches an empty level with +', 'a/+', 'a/', true],
    ['matches everything below with #', 'a/#', 'a/b/c', true],
    ['matches the parent with # too', 'a/#', 'a', true],
    ['matches everything with # alone', '#', 'a/b', true],
    ['does not match a system topic with #', '#', '$SYS/x', false],
    ['does not match a system topic with +', '+/x', '$SYS/x', false],
    ['matches a system topic that it names', '$SYS/#', '$SYS/x', true],
    ['is case-sensitive', 'A/b', 'a/b', false],
  ])('a filter %s', (_title, filter, topic, expected) => {
    expect(matchesFilter(filter, topic)).toBe(expected);
  });
});
