/** Programs by their names: the first one along a path that may be executed. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { composeSearchPath, findOnPath, isFile, isProgram } from '../../src/os/find-program.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();

function makePlaces(...names: readonly string[]): readonly string[] {
  const directory = makeDirectory();
  return names.map((name) => {
    mkdirSync(join(directory, name));
    return join(directory, name);
  });
}

describe('a program', () => {
  it('is the first that may be executed, and no directory of that name', () => {
    const [first = '', second = '', third = '', fourth = ''] = makePlaces('1', '2', '3', '4');
    mkdirSync(join(first, 'tool'));
    writeFileSync(join(second, 'tool'), '', { mode: 0o644 });
    for (const place of [third, fourth]) writeFileSync(join(place, 'tool'), '', { mode: 0o755 });
    const path = [join(first, 'none'), first, second, third, fourth].join(delimiter);
    expect(findOnPath('tool', path)).toBe(join(third, 'tool'));
    expect(findOnPath('other', path)).toBeUndefined();
    expect([first, second, third].map((place) => isProgram(join(place, 'tool')))).toEqual([false, false, true]);
  });

  it('is looked for in no place that depends on where one stands', () => {
    expect(findOnPath('package.json', ['', '.', '..', 'src'].join(delimiter))).toBeUndefined();
    expect(findOnPath('sh', '')).toBeUndefined();
  });

  it('may be behind a link, but not one that leads in a circle', () => {
    const [place = ''] = makePlaces('1');
    writeFileSync(join(place, 'tool'), '', { mode: 0o755 });
    symlinkSync('tool', join(place, 'link'));
    symlinkSync('circle', join(place, 'circle'));
    expect(['link', 'circle', 'none'].map((name) => isProgram(join(place, name)))).toEqual([true, false, false]);
    expect(isFile(join(place, 'circle'))).toBe(false);
  });
});

describe('the search path', () => {
  it('has the places of the system behind those that are given', () => {
    expect(composeSearchPath('/opt/x/bin')).toBe('/opt/x/bin:/usr/sbin:/sbin:/usr/bin:/bin');
    expect(composeSearchPath()).toBe(`${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`);
  });

  it.skipIf(process.platform === 'win32')('finds a shell whatever is given', () => {
    expect(findOnPath('sh', composeSearchPath(''))).toMatch(/\/sh$/);
  });
});
