/**
 * Holds docs/reference/api.md to the sources: it is what `npm run docs:api` writes, it has a section for everything that
 * the library exports, and nothing in these sections lacks a docstring.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPage } from './pages.js';

const ROOT = new URL('../../', import.meta.url);

const { renderApi } = (await import(new URL('.ci/render-api.mjs', ROOT).href)) as {
  readonly renderApi: (root: URL) => string;
};
const { readApi } = (await import(new URL('.ci/read-api.mjs', ROOT).href)) as {
  readonly readApi: (root: URL) => { readonly exported: readonly Entry[]; readonly mentioned: readonly Entry[] };
};
const { exported, mentioned } = readApi(ROOT);

describe('the reference of the library', () => {
  it('is the page that npm run docs:api writes', () => {
    expect(readPage('docs/reference/api.md')).toBe(renderApi(ROOT));
  });

  it('has a section for each name that src/index.ts exports', () => {
    const names = listExports(readFileSync(new URL('src/index.ts', ROOT), 'utf8'));
    const heads = renderApi(ROOT).matchAll(/^### `(\w+)`$/gm);
    const sections = new Set([...heads].map((match) => match[1]));
    expect(names).toContain('createNode');
    expect(names.length).toBeGreaterThan(15);
    expect(names.filter((name) => !sections.has(name))).toEqual([]);
  });

  it('keeps what is exported apart from what is only mentioned', () => {
    const names = new Set(exported.map(({ name }) => name));
    expect(mentioned.map(({ name }) => name)).toContain('Item');
    expect(mentioned.filter(({ name }) => names.has(name))).toEqual([]);
  });
});

it('everything that the library exports says what it is for, and so does each of its members', () => {
  const parts = exported.flatMap((entry) => [entry, ...entry.members.map((one) => within(entry, one))]);
  expect(parts.map(({ name }) => name)).toContain('LibraryNode.submit(item)');
  expect(parts.length).toBeGreaterThan(100);
  expect(parts.filter(({ docstring }) => docstring === '').map(({ name }) => name)).toEqual([]);
});

interface Described {
  readonly name: string;
  readonly docstring: string;
}

interface Entry extends Described {
  readonly members: readonly Described[];
}

function within(entry: Entry, member: Described): Described {
  return { name: `${entry.name}.${member.name}`, docstring: member.docstring };
}

/** The names as a program imports them: of `one as other` the second. */
function listExports(source: string): readonly string[] {
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].map((match) => match[1] ?? '');
  return lists.flatMap((list) => list.split(',').map((one) => one.trim().split(' as ').at(-1) ?? ''));
}
