/** Holds the README, OPERATING.md and ARCHITECTURE.md to the code: commands, keys, defaults, folders, links. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { addNodeCommands } from '../../src/cli/node-commands.js';
import { addViewCommands } from '../../src/cli/view-commands.js';
import { addWorkCommands } from '../../src/cli/work-commands.js';
import { createDefaults } from '../../src/config/defaults.js';
import { CONFIG_KEYS } from '../../src/config/keys.js';
import { readFences, readPage, readSection, type Page } from './pages.js';

const ROOT = new URL('../../', import.meta.url);
const PAGES: readonly Page[] = ['README.md', 'docs/PROTOCOL.md', 'docs/ARCHITECTURE.md', 'docs/OPERATING.md'];

describe('the README', () => {
  it('opens with the two commands', () => {
    const commands = readFences(readPage('README.md'), 'sh');
    expect(commands.slice(0, 2)).toEqual(['npm ci && npm run demo\n', 'npm ci && npm test\n']);
  });

  it('names every command', () => {
    const section = readSection(readPage('README.md'), 'Commands');
    const commands = listCommands();
    expect(commands).toContain('broker passwd');
    expect(commands.filter((name) => !new RegExp(`\`tritmesh ${name}[ \`]`).test(section))).toEqual([]);
  });
});

describe('OPERATING.md', () => {
  const section = readSection(readPage('docs/OPERATING.md'), 'Configuration');

  it.each(CONFIG_KEYS.map(({ key }) => key))('has a row for the key %s', (key) => {
    expect(section).toContain(`\n| \`${key}\` | `);
  });

  it('tells the defaults in force', () => {
    const defaults = createDefaults({ hostname: 'any', cpus: 1, isRoot: false, home: '/' }, {});
    for (const { key, kind } of CONFIG_KEYS) {
      const value = readKey(defaults, key);
      if (kind !== 'number' && kind !== 'flag') continue;
      if (key === 'slots' || key === 'cpus') continue;
      expect(section).toContain(`\n| \`${key}\` | ${String(value)} | `);
    }
  });
});

describe('ARCHITECTURE.md', () => {
  it('names every folder of the source', () => {
    const paths = globSync(['src/*/*.ts'], { cwd: fileURLToPath(ROOT) });
    const folders = [...new Set(paths.map((path) => path.split('/')[1]))];
    expect(folders.length).toBeGreaterThan(5);
    const section = readSection(readPage('docs/ARCHITECTURE.md'), 'Folders');
    expect(folders.filter((name) => !section.includes(`${name}/\``))).toEqual([]);
  });
});

describe('all pages', () => {
  it.each(PAGES)('name only files that are there: %s', (name) => {
    const text = readPage(name);
    const paths = [...text.matchAll(/`((?:src|test|broker|docs|bench)\/[\w./-]+)`/g)].map((match) => match[1] ?? '');
    const links = [...text.matchAll(/\]\(([\w./-]+)(?:#[\w-]+)?\)/g)].map((match) => match[1] ?? '');
    const page = new URL(name, ROOT);
    expect(paths.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
    expect(links.filter((link) => !existsSync(new URL(link, page)))).toEqual([]);
  });
});

function listCommands(): readonly string[] {
  const program = new Command().enablePositionalOptions();
  const finish = (): void => undefined;
  addNodeCommands(program, finish);
  addWorkCommands(program, finish);
  addViewCommands(program, finish);
  return program.commands.flatMap((command) => [
    command.name(),
    ...command.commands.map((inner) => `${command.name()} ${inner.name()}`),
  ]);
}

function readKey(group: object, key: string): unknown {
  return key.split('.').reduce<unknown>((value, name) => (value as Readonly<Record<string, unknown>>)[name], group);
}
