/**
 * Every decoder and topic parser against a fixed corpus and against valid texts that fast-check mutates: each returns a
 * value or its own refusal, throws nothing else, does not hang, and touches no prototype. A failure prints its seed.
 */
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { command, createInfo, createItem, createOffer, createResult, createState } from '../support/samples.js';
import { DECODERS, type Decoder } from './hostile-decoders.js';
import { HOSTILE_TEXTS } from './hostile-texts.js';

const RUNS = process.env['TRITMESH_TEST_LONG'] === '1' ? 20_000 : 300;
const stamp = { v: 1, ts: '1970-01-01T00:00:00.000Z', boot: 1, seq: 1 };

/** Valid input for the decoders: mutated and cut, it gets furthest into them. */
const VALID: readonly string[] = [
  ...[createInfo(), createState(), createOffer(), createResult()].map((body) => JSON.stringify({ ...stamp, ...body })),
  JSON.stringify({ transaction: 'x', item: createItem() }),
  JSON.stringify(createItem()),
  JSON.stringify({ ...stamp, event_type: 'x', more: { deep: [1] } }),
  JSON.stringify({ ...stamp, status: 'ok', data: { a: { b: 1 } } }),
  JSON.stringify({ files: [{ path: 'a/b', size: 1, mode: 0o644, sha256: 'a'.repeat(64) }], directories: ['c'] }),
  '143\n0m0.01s 0m0.02s\n1m2,34s 0m0.00s\nend\n',
  "launcher='12 34'\nlimit=1\ndeadline=2\n",
  "launcher='12 34'\nlimit=1\ndeadline=2\n# {x}\n",
  '12 (a b) c) S 1 12 12 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 12345 1 1',
  'broker: mqtt://127.0.0.1\ntransfer:\n  listen: 127.0.0.1\nlabels: [a, b]\n',
  'base: &a [x, x]\nlabels: *a\n',
  't/work/alpha/j1/claim/beta',
];

const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

/** Inputs that only some decoders may stumble over. */
const CORPUS: readonly Buffer[] = [
  ...[...HOSTILE_TEXTS, ...VALID, ''].map((text) => Buffer.from(text)),
  ...['ff', 'c0af', 'eda080', 'f4908080', 'e282', 'efbbbf', '00'].map((hex) => Buffer.from(hex, 'hex')),
  Buffer.alloc(70_000, 0x20),
  Buffer.from(`${'t/'.repeat(300)}x`),
  // Valid except for one thing that a looser schema would accept.
  Buffer.from(`{"v":1,"ts":"","boot":1,"seq":1,"event_type":"x","deep":${DEEP},"__proto__":{"polluted":true}}`),
  Buffer.from(`{"v":1,"ts":"","boot":1,"seq":1,"status":"ok","data":{"deep":${DEEP},"__proto__":{"polluted":true}}}`),
  Buffer.from(JSON.stringify({ item: createItem({ command: { ...command, env: { ['x-'.repeat(5000)]: '' } } }) })),
  Buffer.from(laugh('abcdefghi')),
  Buffer.from('labels: !!js/function "x"\n'),
  Buffer.from('? [complex]\n: x\n'),
  Buffer.from('__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}\n'),
  Buffer.from('transfer: *nothing\n'),
  Buffer.from('labels: &a [*a]\n'),
  Buffer.from(`${'9'.repeat(400)} (x) S 1 1\n`),
];

/** The billion laughs attack in YAML: each line contains the one before it nine times. */
function laugh(names: string): string {
  const lines = names.split('').map((name, index) => {
    const inner = index === 0 ? 'x' : `*${names[index - 1] ?? ''}`;
    return `  - &${name} [${Array.from({ length: 9 }, () => inner).join(', ')}]`;
  });
  return ['labels:', ...lines, ''].join('\n');
}

const PROTOTYPES = [Object.prototype, Array.prototype, String.prototype, Function.prototype];
const untouched = PROTOTYPES.map((one) => Reflect.ownKeys(one).length);

afterEach(() => {
  expect(PROTOTYPES.map((one) => Reflect.ownKeys(one).length)).toEqual(untouched);
});

describe.each(DECODERS)('$name', (decoder) => {
  it('survives the corpus', () => {
    for (const bytes of CORPUS) expectAnswer(decoder, bytes);
  });

  it('survives arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => expectAnswer(decoder, Buffer.from(bytes))),
      { numRuns: RUNS },
    );
  });

  it('survives valid texts that are cut, mutated and joined', () => {
    fc.assert(
      fc.property(bentText(), (text) => expectAnswer(decoder, Buffer.from(text))),
      { numRuns: RUNS },
    );
  });
});

function bentText(): fc.Arbitrary<string> {
  const whole = fc.constantFrom(...VALID, ...HOSTILE_TEXTS.filter((text) => text.length < 500));
  const inserted = fc.oneof(
    fc.constantFrom(
      '"',
      '{',
      '}',
      '[',
      ']',
      '\n',
      '\0',
      '\\',
      '1e999',
      '"__proto__":',
      ',',
      ':',
      '/',
      '&a ',
      '*a',
      '- ',
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.jsonValue().map((value) => JSON.stringify(value)),
  );
  const bend = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), drop: fc.nat(40), text: inserted });
  return fc.tuple(whole, fc.array(bend, { maxLength: 6 })).map(([text, bends]) =>
    bends.reduce((bent, { at, drop, text: more }) => {
      const place = Math.floor(at * bent.length);
      return bent.slice(0, place) + more + bent.slice(place + drop);
    }, text),
  );
}

/** Expects a value of plain data, or a refusal of this decoder. */
function expectAnswer({ name, read, refuses }: Decoder, bytes: Buffer): void {
  let value: unknown;
  try {
    value = read(bytes);
  } catch (error) {
    const isOwn = refuses !== undefined && error instanceof refuses && error.message !== '';
    if (isOwn) return;
    throw new Error(`${name} threw at ${JSON.stringify(bytes.toString('latin1').slice(0, 200))}`, { cause: error });
  }
  expectPlain(value);
}

const PLAIN: ReadonlySet<unknown> = new Set([Object.prototype, Array.prototype, Map.prototype]);

/** Expects that no input has changed a prototype. */
function expectPlain(value: unknown): void {
  const seen = new Set<unknown>();
  const waiting: object[] = isObject(value) ? [value] : [];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (seen.has(one)) continue;
    seen.add(one);
    // Not with `expect`, which is slow for thousands of values.
    if (!PLAIN.has(Object.getPrototypeOf(one))) throw new Error('a value with a prototype of its own');
    for (const inner of Object.values(one)) if (isObject(inner)) waiting.push(inner);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
