/** Parsing of the command line into an item: defaults, all flags, and the error for each invalid one. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ItemFlags } from '../../../src/cli/job/draft-item.js';
import { parseItem } from '../../../src/cli/job/parse-item.js';
import { formatItemId } from '../../../src/protocol/item-name.js';
import { readDuration, readSize } from '../../../src/cli/flag-values.js';
import { ITEM_ID_PATTERN } from '../../../src/protocol/topics.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();

describe('an item from flags', () => {
  it('has defaults for flags that are not given', () => {
    const directory = makeDirectory();
    expect(parseItem(['/usr/bin/gzip', '-9'], {}, place(directory))).toMatchObject({
      name: 'gzip',
      command: { argv: ['/usr/bin/gzip', '-9'], env: {}, outputs: [], migrate: 'never' },
      need: { cpus: 1, labels: [] },
      inputs: [],
      destination: directory,
      place: 'any',
      retry: 'rerun',
      attempts: 3,
      deferred: false,
    });
  });

  it('accepts all flags', () => {
    const directory = makeDirectory();
    writeFileSync(join(directory, 'in.txt'), 'x');
    mkdirSync(join(directory, 'data'));
    const flags: ItemFlags = {
      in: ['data', './in.txt'],
      out: ['./out/*.gz'],
      away: true,
      on: 'beta',
      cpus: '1.5',
      memory: '512M',
      arch: 'arm64',
      os: 'linux',
      label: ['gpu', 'fast'],
      env: ['A=b=c', 'HERE'],
      stdin: 'in.txt',
      wall: '90s',
      retry: 'once',
      attempts: '7',
      migrate: 'restart',
      name: 'night job',
    };
    expect(parseItem(['make'], flags, place(directory))).toMatchObject({
      name: 'night job',
      command: {
        env: { A: 'b=c', HERE: 'value' },
        stdin: 'in.txt',
        outputs: ['out/*.gz'],
        wall_ms: 90_000,
        migrate: 'restart',
      },
      need: {
        cpus: 1.5,
        memory_bytes: 512 * 1024 ** 2,
        arch: 'arm64',
        os: 'linux',
        labels: ['gpu', 'fast'],
        on: 'beta',
      },
      inputs: [join(directory, 'data'), join(directory, 'in.txt')],
      place: 'away',
      retry: 'once',
      attempts: 7,
    });
  });

  it.each([
    ['/usr/bin/gzip', 'gzip'],
    ['./build/', 'build'],
    ['/', 'job'],
    ['', 'job'],
    ['x'.repeat(70), 'x'.repeat(64)],
  ])('is named after its program %j', (program, name) => {
    expect(parseItem([program], {}, place(makeDirectory()))).toMatchObject({ name, command: { argv: [program] } });
  });

  it.each<[string, ItemFlags]>([
    ['--in nope: must be an existing file or directory', { in: ['nope'] }],
    ['--stdin .: must be a file', { stdin: '.' }],
    ['--stdin nope: must be an existing file or directory', { stdin: 'nope' }],
    ['--here: cannot be given together with --away', { here: true, away: true }],
    ['--here: cannot be given together with --on', { here: true, on: 'beta' }],
    ['--on Beta!: ', { on: 'Beta!' }],
    ['--cpus 0: must be a number above 0', { cpus: '0' }],
    ['--cpus two: must be a number above 0', { cpus: 'two' }],
    ['--cpus 5000: ', { cpus: '5000' }],
    ['--memory lots: must be a size such as 512M or 2G', { memory: 'lots' }],
    ['--wall soon: must be a duration such as 90s, 5m or 2h', { wall: 'soon' }],
    ['--attempts 0: must be a whole number from 1 to 100', { attempts: '0' }],
    ['--retry twice: ', { retry: 'twice' }],
    ['--migrate always: ', { migrate: 'always' }],
    ['--env NOT_SET: must be NAME=VALUE', { env: ['NOT_SET'] }],
    ['--env', { env: ['1A=b'] }],
    ['--out /etc/passwd: must be a relative path that stays inside', { out: ['/etc/passwd'] }],
    ['--out ../x: must be a relative path that stays inside', { out: ['../x'] }],
  ])('is refused: %s', (message, flags) => {
    expect(() => parseItem(['true'], flags, place(makeDirectory()))).toThrow(message);
  });

  it('refuses two inputs with the same base name', () => {
    const directory = makeDirectory();
    for (const name of ['a', 'b']) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'in.txt'), name);
    }
    expect(() => parseItem(['true'], { in: ['a/in.txt', 'b/in.txt'] }, place(directory))).toThrow(
      'both would become in.txt',
    );
  });
});

describe('an item id', () => {
  it('is valid, and later ones sort after earlier ones', () => {
    const moment = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2050, 0) });
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        const [first, second] = [formatItemId(a, 0), formatItemId(b, 0)];
        expect(first).toMatch(ITEM_ID_PATTERN);
        if (a < b) expect(first < second).toBe(true);
      }),
    );
  });
});

describe('sizes and durations', () => {
  it('accept the usual units', () => {
    expect(['0', '10', '1k', '512M', '2g', '1.5GiB'].map((text) => readSize('--memory', text))).toEqual([
      0,
      10,
      1024,
      512 * 1024 ** 2,
      2 * 1024 ** 3,
      1.5 * 1024 ** 3,
    ]);
    expect(['500ms', '90', '90s', '5m', '2h', '1d'].map((text) => readDuration('--wall', text))).toEqual([
      500, 90_000, 90_000, 300_000, 7_200_000, 86_400_000,
    ]);
  });
});

function place(directory: string): Parameters<typeof parseItem>[2] {
  return { directory, variables: { HERE: 'value' }, now: Date.UTC(2026, 0), attempts: 3, deferred: false };
}
