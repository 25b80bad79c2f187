/** The decisions before an external process is moved. */
import { explain } from '../../../src/protocol/reasons.js';
import { describe, expect, it } from 'vitest';
import {
  chooseFit,
  composeProcessItem,
  describeNobody,
  listMovedTogether,
  needOfImage,
  trimFacts,
} from '../../../src/core/placement/external-move.js';
import { imageFactsSchema, type ImageFacts } from '../../../src/protocol/image-facts.js';
import { itemSchema, writeItem } from '../../../src/protocol/item.js';
import { createMember } from '../../support/samples.js';

const context: ImageFacts = {
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
const need = needOfImage(context, {
  ...info,
  abilities: ['cpu-x86-64-v2', 'cpu-x86-64-v3', 'cpu-x86-64-v1', 'cpu-flags-0'],
});

describe('the need of an image', () => {
  it('is the highest cpu level that it may use', () => {
    expect(need).toMatchObject({ memory_bytes: 5000, abilities: ['criu', 'cpu-x86-64-v3'] });
  });
  it('is the same cpu flags if no level is known', () => {
    expect(needOfImage(context, { ...info, abilities: ['cpu-flags-7'] }).abilities).toEqual(['criu', 'cpu-flags-7']);
  });
});

describe('a container', () => {
  const id = 'a'.repeat(64);
  const container = { id, name: 'web', image: id, image_name: 'web:1', runtime: 'runc', podman: '4.3.1' };

  it('needs podman of the same major version, and the cpu', () => {
    const abilities = ['cpu-x86-64-v2'];
    expect(needOfImage({ ...context, container }, { ...info, abilities }).abilities).toEqual([
      'podman',
      'podman-4',
      'cpu-x86-64-v2',
    ]);
  });

  it('travels in facts that are validated', () => {
    expect(imageFactsSchema.parse({ ...context, container })).toEqual({ ...context, container });
    for (const bad of [{ name: '--all' }, { id: 'latest' }, { image: '../x' }, { name: '' }])
      expect(imageFactsSchema.safeParse({ ...context, container: { ...container, ...bad } }).success).toBe(false);
  });

  it('moves with all its processes', () => {
    const [one, two, other] = [
      { pid: 1, ppid: 0, name: 'a', container: id },
      { pid: 2, ppid: 1, name: 'b', container: id },
      { pid: 3, ppid: 0, name: 'c' },
    ];
    const all = new Map([one, two, other].map((process) => [process.pid, process]));
    expect(listMovedTogether(two, all)).toEqual([two, one]);
    expect(listMovedTogether(other, all)).toEqual([other]);
  });
});

it('facts that are too large lose their libraries, not their program', () => {
  expect(trimFacts(context).mapped.map(({ path }) => path)).toEqual(['/x/count']);
});

it.each([
  [
    ['/x/count', '7'],
    ['/x/count', '7'],
  ],
  [[''], ['count']],
  [['x'.repeat(40_000)], ['count']],
])('the item of a process with command %j is valid', (command, argv) => {
  const item = composeProcessItem('k1', { pid: 9, ppid: 1, name: 'count', command }, '77', need, '');
  expect(itemSchema.parse(writeItem(item))).toEqual(item);
  expect(item).toMatchObject({
    command: { argv, migrate: 'checkpoint' },
    retry: 'once',
    process: { pid: 9, start: '77' },
  });
});

it('the best candidate that fits is chosen, and waited for', () => {
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
        ['self', explain('draining')],
        ['c', explain('offline')],
      ]),
      'self',
    ),
  ).toBe('a: no room; c: offline');
  expect(describeNobody([], new Map(), 'self')).toBe('no other member is known');
});
