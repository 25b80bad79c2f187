/** The documents as tests read them: whole pages, the parts of them that a heading or a fence holds, and what they link to and name. */
import { readFileSync } from 'node:fs';

/** A page, as a path from the root of the repository. */
export type Page = string;

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

/** Paths of this repository that the text names as code; fences are left out. */
export function listPaths(text: string): readonly string[] {
  return [...readProse(text).matchAll(/`((?:src|test|broker|docs|bench|demo|\.ci|\.github)\/[\w./-]+)`/g)].map(
    (match) => match[1] ?? '',
  );
}

/** What the text links to inside the repository, images among it; code is left out. */
export function listLinks(text: string): readonly string[] {
  const prose = readProse(text).replaceAll(/(`+)[^`\n]+\1/g, '');
  const inline = prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g);
  const references = prose.matchAll(/^\s*\[[^\]]+\]:\s*<?([^\s>]+)/gm);
  const html = prose.matchAll(/<[^>]*?\s(?:src|href|srcset)="([^"\s]+)"/g);
  const links = [...inline, ...references, ...html].map((match) => match[1] ?? '');
  return links.filter((link) => !/^[a-z][a-z+.-]*:/i.test(link));
}

/** The anchors of a page: of its headings as GitHub makes them, and those that are written out. */
export function listAnchors(text: string): ReadonlySet<string> {
  const prose = readProse(text);
  const anchors = new Set([...prose.matchAll(/<a (?:id|name)="([^"]+)"/g)].map((match) => match[1] ?? ''));
  for (const [, title = ''] of prose.matchAll(/^#{1,6} +(.+?)(?: +#+)?$/gm)) {
    const slug = slugOf(title);
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Lower case, without marks and punctuation, blanks as dashes. */
function slugOf(title: string): string {
  return title
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
    .replaceAll(' ', '-');
}

/** Lines of prose with more than `charsMax` characters, with their numbers: no tables, no fences, no line that is only a link. */
export function findLongLines(text: string, charsMax: number): readonly string[] {
  return readProse(text)
    .split('\n')
    .flatMap((line, index) => (line.length > charsMax && !isExempt(line) ? [`${index + 1}: ${line}`] : []));
}

/** A row of a table, or one link or image that cannot be broken. */
function isExempt(line: string): boolean {
  const rest = line.trim().replace(/^(?:[-*>]|\d+\.) +/, '');
  const isLink = /^!?\[(?:!\[[^\]]*\]\([^)]*\)|[^\]]*)\]\([^)]*\)[.,;:]?$/.test(rest);
  return rest.startsWith('|') || isLink || /^\[[^\]]+\]: \S+$/.test(rest) || /^<[^<>]+>(?:<\/\w+>)?$/.test(rest);
}

/** The text with its fences blanked, so that the numbers of lines stay. */
function readProse(text: string): string {
  let fence = '';
  return text
    .split('\n')
    .map((line) => {
      const [, mark = ''] = /^\s*(`{3,}|~{3,})/.exec(line) ?? [];
      if (fence === '') {
        fence = mark;
        return mark === '' ? line : '';
      }
      if (mark !== '' && mark.startsWith(fence) && line.trim() === mark) fence = '';
      return '';
    })
    .join('\n');
}
