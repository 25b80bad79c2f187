/** The stages of a node: each name is unique, and the architecture page lists them in the order of the code. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPage, readSection } from '../docs/pages.js';

const source = readFileSync(new URL('../../src/node/stages.ts', import.meta.url), 'utf8');
const names = [...source.matchAll(/^ +name: '([^']+)',$/gm)].map((match) => match[1]);

describe('the stages of a node', () => {
  it('have unique names', () => {
    expect(names.length).toBeGreaterThan(10);
    expect(new Set(names).size).toBe(names.length);
  });

  it('are listed on the page about the architecture, in order', () => {
    const section = readSection(readPage('docs/internals/architecture.md'), 'The stages of a node');
    const listed = [...section.matchAll(/^(\d+)\. `([^`]+)` /gm)];
    expect(listed.map((match) => match[2])).toEqual(names);
    expect(listed.map((match) => Number(match[1]))).toEqual(names.map((_name, index) => index + 1));
  });
});
