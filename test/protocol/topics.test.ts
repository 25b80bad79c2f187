/** The topic tree: every formatted topic parses again, and nothing else does. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findBaseFault,
  formatTopic,
  kindFilter,
  nodeFilters,
  workFilters,
  parseTopic,
  type Topic,
} from '../../src/protocol/topics.js';

const id = fc.stringMatching(/^[a-z0-9-]{1,32}$/);
const word = fc.stringMatching(/^[a-z0-9_-]{1,32}$/);
const base = fc
  .array(fc.stringMatching(/^[A-Za-z0-9_.-]{1,8}$/), { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'));

const topic: fc.Arbitrary<Topic> = fc.oneof(
  fc.record({ kind: fc.constantFrom('availability', 'trit', 'state', 'scum', 'info', 'event'), node: id }),
  fc.record({ kind: fc.constant('set'), node: id, key: word }),
  fc.record({ kind: fc.constantFrom('request', 'response'), node: id, verb: word }),
  fc.record({ kind: fc.constantFrom('offer', 'ack', 'lease', 'status'), owner: id, item: id }),
  fc.record({ kind: fc.constantFrom('claim', 'progress', 'result', 'log'), owner: id, item: id, node: id }),
  fc.constant({ kind: 'mesh' }),
);

describe('topics', () => {
  it('parse back to what was formatted', () => {
    fc.assert(
      fc.property(base, topic, (prefix, one) => {
        expect(parseTopic(prefix, formatTopic(prefix, one))).toEqual(one);
      }),
    );
  });

  it('parse any text without throwing, to nothing or to a topic that formats to the same text', () => {
    const levels = fc.array(
      fc.constantFrom('node', 'work', 'mesh', 'state', 'a', 'offer', 'claim', 'set', '', '+', '#'),
      { maxLength: 6 },
    );
    const text = fc.oneof(
      fc.string(),
      levels.map((list) => `t/${list.join('/')}`),
    );
    fc.assert(
      fc.property(text, (one) => {
        const parsed = parseTopic('t', one);
        if (parsed !== undefined) expect(formatTopic('t', parsed)).toBe(one);
      }),
    );
  });

  it.each([
    't/node/Alpha/state',
    't/node/a/state/more',
    't/node/a/unknown',
    't/node/a',
    't/node/a/set',
    't/node/a/set/k/more',
    't/work/a/b',
    't/work/a/b/claim',
    't/work/a/b/offer/c',
    't/work/a/b/unknown/c',
    't/work/a/b/offer/c/d',
    't/mesh',
    't/mesh/other',
    't',
    'other/mesh/state',
    `t/node/${'a'.repeat(33)}/state`,
    `t/${'a'.repeat(600)}`,
  ])('do not include %s', (text) => {
    expect(parseTopic('t', text)).toBeUndefined();
  });
});

describe('a base topic', () => {
  it.each(['tritmesh', 'home/tritmesh', 'a_b-c.d/E'])('may be %s', (text) => {
    expect(findBaseFault(text)).toBeUndefined();
  });

  it.each<[string, RegExp]>([
    ['', /1 to 200 characters/],
    ['a'.repeat(201), /1 to 200 characters/],
    ['a/b/c/d/e/f/g/h/i', /at most 8 levels/],
    ['a//b', /no empty level/],
    ['/a', /no empty level/],
    ['a/+', /"\+"/],
    ['a/#', /"#"/],
    ['$SYS', /"\$"/],
  ])('must not be %j', (text, fault) => {
    expect(findBaseFault(text)).toMatch(fault);
  });
});

describe('filters', () => {
  it('of a node never overlap', () => {
    fc.assert(
      fc.property(topic, (one) => {
        const text = formatTopic('t', one);
        const matching = [...nodeFilters('t', 'alpha'), ...workFilters('t', 'alpha')].filter((filter) =>
          matches(filter, text),
        );
        expect(matching.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('of a kind match its topics and no others', () => {
    fc.assert(
      fc.property(topic, topic, (one, other) => {
        expect(matches(kindFilter('t', one.kind), formatTopic('t', one))).toBe(true);
        expect(matches(kindFilter('t', one.kind), formatTopic('t', other))).toBe(one.kind === other.kind);
      }),
    );
  });
});

function matches(filter: string, text: string): boolean {
  const levels = text.split('/');
  const wanted = filter.split('/');
  return wanted.length === levels.length && wanted.every((level, index) => level === '+' || level === levels[index]);
}
