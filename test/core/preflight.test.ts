/** What is decided before a process that was found is moved. */
import { describe, expect, test } from 'vitest';
import {
  chooseFit,
  composeProcessItem,
  describeNobody,
  listCompany,
  needOfImage,
  trimFacts,
} from '../../src/core/preflight.js';
import { imageFactsSchema, type ImageFacts } from '../../src/protocol/image-facts.js';
import { itemSchema } from '../../src/protocol/item.js';
import { createMember } from './samples.js';

const facts: ImageFacts = {
  v: 1,
  name: 'count',
  root: 7,
  pids: [7],
  shell_job: false,
  known_as: null,
  exe: '/x/count',
  mapped: [
    { path: '/x/count', build_id: null, size: 1 },
    { path: '/lib/libc.so', build_id: 'ab', size: 2 },
  ],
  cwd: '/',
  files: [],
  image_bytes: 5000,
  cpu_s: 0,
  wall_ms: 0,
  criu: '',
};
const info = createMember('alpha').info;
if (info === undefined) throw new Error('no birth');
const need = needOfImage(facts, {
  ...info,
  abilities: ['cpu-x86-64-v2', 'cpu-x86-64-v3', 'cpu-x86-64-v1', 'cpu-flags-0'],
});

describe('the need of an image', () => {
  test('is the best level of the cpu that it may use', () => {
    expect(need).toMatchObject({ memory_bytes: 5000, abilities: ['criu', 'cpu-x86-64-v3'] });
  });
  test('is the same flags where levels are not told', () => {
    expect(needOfImage(facts, { ...info, abilities: ['cpu-flags-7'] }).abilities).toEqual(['criu', 'cpu-flags-7']);
  });
});

describe('a container', () => {
  const id = 'a'.repeat(64);
  const container = { id, name: 'web', image: id, image_name: 'web:1', runtime: 'runc', podman: '4.3.1' };

  test('needs podman of the same major version, and the cpu', () => {
    const abilities = ['cpu-x86-64-v2'];
    expect(needOfImage({ ...facts, container }, { ...info, abilities }).abilities).toEqual([
      'podman',
      'podman-4',
      'cpu-x86-64-v2',
    ]);
  });

  test('travels in facts that are checked', () => {
    expect(imageFactsSchema.parse({ ...facts, container })).toEqual({ ...facts, container });
    for (const bad of [{ name: '--all' }, { id: 'latest' }, { image: '../x' }, { name: '' }])
      expect(imageFactsSchema.safeParse({ ...facts, container: { ...container, ...bad } }).success).toBe(false);
  });

  test('moves with all that is in it', () => {
    const [one, two, other] = [
      { pid: 1, ppid: 0, name: 'a', container: id },
      { pid: 2, ppid: 1, name: 'b', container: id },
      { pid: 3, ppid: 0, name: 'c' },
    ];
    const all = new Map([one, two, other].map((process) => [process.pid, process]));
    expect(listCompany(two, all)).toEqual([two, one]);
    expect(listCompany(other, all)).toEqual([other]);
  });
});

test('facts that are too large lose their libraries, not their program', () => {
  expect(trimFacts(facts).mapped.map(({ path }) => path)).toEqual(['/x/count']);
});

test.each([
  [
    ['/x/count', '7'],
    ['/x/count', '7'],
  ],
  [[''], ['count']],
  [['x'.repeat(40_000)], ['count']],
])('the item of a process is a valid one', (command, argv) => {
  const item = composeProcessItem('k1', { pid: 9, ppid: 1, name: 'count', command }, '77', need, '');
  expect(itemSchema.parse(item)).toEqual(item);
  expect(item).toMatchObject({
    command: { argv, migrate: 'checkpoint' },
    retry: 'once',
    process: { pid: 9, start: '77' },
  });
});

test('the best that fits is taken, and waited for', () => {
  const yes = { node: 'b', fits: true, reason: '' };
  const no = { node: 'a', fits: false, reason: 'no room' };
  expect(chooseFit(['a', 'b'], new Map([['b', yes]]))).toBeUndefined();
  expect(
    chooseFit(
      ['a', 'b'],
      new Map([
        ['b', yes],
        ['a', no],
      ]),
    ),
  ).toBe(yes);
  expect(chooseFit(['a'], new Map([['a', no]]))).toBe('nobody');
  expect(
    describeNobody(
      [no],
      new Map([
        ['self', 'left out'],
        ['c', 'offline'],
      ]),
      'self',
    ),
  ).toBe('a: no room; c: offline');
  expect(describeNobody([], new Map(), 'self')).toBe('no other member is known');
});
