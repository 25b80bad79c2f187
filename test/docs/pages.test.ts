/**
 * Holds the documents to the code (commands, keys, defaults, folders, paths) and to each other (links, anchors), and their lines to a
 * length that fits a terminal.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import { createDefaults } from '../../src/config/defaults.js';
import { CONFIG_KEYS, type ConfigKey } from '../../src/config/keys.js';
import { findLongLines, listAnchors, listLinks, listPaths, readFences, readPage } from './pages.js';

const ROOT = new URL('../../', import.meta.url);
const PAGES = globSync(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'docs/**/*.md'], {
  cwd: fileURLToPath(ROOT),
}).toSorted();
const LINE_CHARS_MAX = 120;
const README_LINES_MAX = 150;
/** Their defaults depend on the machine; the page says how. */
const KEYS_OF_MACHINE: ReadonlySet<string> = new Set(['id', 'state_dir', 'slots', 'cpus']);

describe('the README', () => {
  it('opens with the two commands', () => {
    const lines = readFences(readPage('README.md'), 'sh').join('').split('\n');
    const commands = lines.map((line) => line.replace(/\s+#.*$/, '')).filter((line) => line !== '');
    expect(commands.slice(0, 2)).toEqual(['npm ci && npm run demo', 'npm ci && npm test']);
  });

  it(`has at most ${README_LINES_MAX} lines`, () => {
    expect(readPage('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(README_LINES_MAX);
  });
});

describe('the reference of the command line', () => {
  it('names every command', () => {
    const page = readPage('docs/reference/cli.md');
    const names = listCommands(createProgram('0.0.0', () => undefined));
    expect(names).toContain('broker passwd');
    expect(names.filter((name) => !new RegExp(`(\`|^#+ )tritmesh ${name}([ \`]|$)`, 'm').test(page))).toEqual([]);
  });
});

describe('the reference of the configuration', () => {
  const page = readPage('docs/reference/configuration.md');

  it.each(CONFIG_KEYS.map(({ key }) => key))('has a row for the key %s', (key) => {
    expect(page).toContain(`\n| \`${key}\` | `);
  });

  it('has no row for a key that is not there', () => {
    const rows = [...page.matchAll(/^\| `([a-z_.]+)` \| /gm)].map((match) => match[1] ?? '');
    const known = new Set([...CONFIG_KEYS.map(({ key }) => key), ...METRICS]);
    expect(rows.filter((key) => !known.has(key))).toEqual([]);
  });

  it('shows the defaults in force', () => {
    const defaults = createDefaults({ hostname: 'any', cpus: 1, isRoot: false, home: '/' }, {});
    const wanted = CONFIG_KEYS.filter(({ key }) => !KEYS_OF_MACHINE.has(key)).flatMap((one) => {
      const value = readKey(defaults, one.key);
      return value === undefined ? [] : [`| \`${one.key}\` | ${formatDefault(one, value)} | `];
    });
    expect(wanted.length).toBeGreaterThan(40);
    expect(wanted.filter((row) => !page.includes(`\n${row}`))).toEqual([]);
  });
});

describe('the page about the architecture', () => {
  it('names every folder of the source', () => {
    const paths = globSync(['src/*/*.ts'], { cwd: fileURLToPath(ROOT) });
    const folders = [...new Set(paths.map((path) => path.split('/')[1] ?? ''))];
    expect(folders.length).toBeGreaterThan(5);
    const page = readPage('docs/internals/architecture.md');
    expect(folders.filter((name) => !new RegExp(`\`(src/)?${name}/\``).test(page))).toEqual([]);
  });
});

describe.each(PAGES)('%s', (name) => {
  const text = readPage(name);
  const place = new URL(name, ROOT);

  it('names only paths that are there', () => {
    expect(listPaths(text).filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
  });

  it('links only to files and headings that are there', () => {
    expect(listLinks(text).filter((link) => !leadsSomewhere(link, place))).toEqual([]);
  });

  it(`has no line of prose with more than ${LINE_CHARS_MAX} characters`, () => {
    expect(findLongLines(text, LINE_CHARS_MAX)).toEqual([]);
  });
});

/** The metrics have a table of their own on the page. */
const METRICS = ['ewma', 'loadavg1', 'cgroup'];

/** Whether a link inside the repository leads to a file, and to a heading if it names one. */
function leadsSomewhere(link: string, page: URL): boolean {
  const target = new URL(link, page);
  const { hash } = target;
  target.hash = '';
  if (!target.href.startsWith(ROOT.href) || !existsSync(target)) return false;
  if (hash === '' || !target.pathname.endsWith('.md')) return true;
  const name = decodeURIComponent(target.href.slice(ROOT.href.length));
  return listAnchors(readPage(name)).has(decodeURIComponent(hash.slice(1)));
}

/** The names below a command, as they are typed. */
function listCommands(parent: Command, path = ''): readonly string[] {
  return parent.commands.flatMap((command) => {
    const name = `${path}${command.name()}`;
    return [name, ...listCommands(command, `${name} `)];
  });
}

function readKey(group: object, key: string): unknown {
  return key.split('.').reduce<unknown>((value, name) => (value as Readonly<Record<string, unknown>>)[name], group);
}

/** Numbers and flags stand bare, text as code, a list as it is written in a variable. */
function formatDefault({ kind }: ConfigKey, value: unknown): string {
  if (kind === 'number' || kind === 'flag') return String(value);
  if (!Array.isArray(value)) return `\`${String(value)}\``;
  return value.length === 0 ? 'none' : `\`${value.join(', ')}\``;
}
