/** The documents as tests read them: whole pages, and the parts of them that a heading begins or a fence holds. */
import { readFileSync } from 'node:fs';

/** The pages that are held to the code. */
export type Page = 'README.md' | 'docs/PROTOCOL.md' | 'docs/ARCHITECTURE.md' | 'docs/OPERATING.md';

/** Reads a page. */
export function readPage(page: Page): string {
  return readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
}

/** The text below the first heading that begins with `title`, up to the next heading; throws when there is none. */
export function readSection(text: string, title: string): string {
  const lines = text.split('\n');
  const begin = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '').startsWith(title));
  if (begin === -1) throw new Error(`no heading begins with ${title}`);
  const length = lines.slice(begin + 1).findIndex((line) => /^#+ /.test(line));
  return lines.slice(begin, length === -1 ? undefined : begin + 1 + length).join('\n');
}

/** What stands in the fences of one language, in order. */
export function readFences(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    (match) => match[1] ?? '',
  );
}

/** Those of `words` that the text does not name as code. */
export function findUnnamed(text: string, words: readonly string[]): readonly string[] {
  const named = new Set([...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]));
  return words.filter((word) => !named.has(word));
}
