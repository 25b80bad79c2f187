// Renders the reference of the library as Markdown: the prose of api-reference.md beside this file and, in place of the
// comments in it, what the sources say of each exported function and type, and of the types that these mention.
import { readFileSync } from 'node:fs';
import { readApi } from './read-api.mjs';

const PROSE = new URL('api-reference.md', import.meta.url);
const LINE_CHARS_MAX = 120;

/** The page for the sources below a root, a URL that ends in a slash. */
export function renderApi(root) {
  const prose = readFileSync(PROSE, 'utf8');
  const { exported, mentioned } = readApi(root);
  const functions = exported.filter(({ isFunction }) => isFunction);
  const types = exported.filter(({ isFunction }) => !isFunction);
  const anchors = nameAnchors(prose, [...functions, ...types, ...mentioned]);
  const renderAll = (entries) => entries.map((entry) => renderEntry(entry, anchors)).join('\n\n');
  return prose
    .replace('<!-- index -->', () => renderIndex([...functions, ...types], anchors))
    .replace('<!-- functions -->', () => renderAll(functions))
    .replace('<!-- types -->', () => renderAll(types))
    .replace('<!-- mentioned -->', () => renderAll(mentioned));
}

/** The anchor of each declaration, as GitHub makes it of the headings: a repeated one gets a number. */
function nameAnchors(prose, entries) {
  const taken = new Set([...prose.matchAll(/^#+ (.+)$/gm)].map(([, title]) => nameSlug(title)));
  const links = new Map();
  for (const { name, declaration } of entries) {
    const slug = nameSlug(name);
    let anchor = slug;
    for (let count = 1; taken.has(anchor); count += 1) anchor = `${slug}-${count}`;
    taken.add(anchor);
    links.set(declaration, { name, anchor });
  }
  return links;
}

function nameSlug(title) {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9_ -]/g, '')
    .replaceAll(' ', '-');
}

function renderIndex(entries, anchors) {
  const rows = entries.map(({ declaration, docstring }) => {
    const [sentence] = /^.*?\.(?=\s|$)/.exec(docstring) ?? [docstring];
    return [formatLink(anchors.get(declaration)), formatText(sentence, anchors)];
  });
  return renderTable(['name', 'use'], rows);
}

function renderEntry(entry, anchors) {
  const { name, docstring, text, members, forms, values, mentions } = entry;
  const codes = values.map((value) => `\`${value}\``);
  const links = mentions.map((declaration) => formatLink(anchors.get(declaration)));
  const formRows = forms.map((one) => [`\`${one.type}\``, formatText(one.docstring, anchors)]);
  const memberRows = members.map((one) => formatRow(one, anchors));
  const parts = [
    `### \`${name}\``,
    ...docstring.split('\n').map((line) => wrap(formatText(line, anchors))),
    `\`\`\`ts\n${text}\n\`\`\``,
    codes.length === 0 ? '' : wrap(`Its values: ${codes.join(', ')}.`),
    formRows.length === 0 ? '' : renderTable(['form', 'meaning'], formRows),
    memberRows.length === 0 ? '' : renderTable(['member', 'type', 'meaning'], memberRows),
    links.length === 0 ? '' : wrap(`Mentions ${links.join(', ')}.`),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function formatRow({ name, type, docstring }, anchors) {
  return [`\`${name}\``, `\`${type}\``, formatText(docstring.replaceAll('\n', ' '), anchors)];
}

function formatLink({ name, anchor }) {
  return `[\`${name}\`](#${anchor})`;
}

/** Links of a docstring lead to the section of the same name, if there is one. */
function formatText(text, anchors) {
  const sections = [...anchors.values()];
  return text.replaceAll(/\{@link (\w+)(?:\.\w+)?\}/g, (_, target) => {
    const section = sections.find(({ name }) => name === target);
    return section === undefined ? `\`${target}\`` : formatLink(section);
  });
}

/** Breaks a paragraph into lines; code and links stay whole, and no line begins with what Markdown takes for a mark. */
function wrap(paragraph) {
  const lines = [];
  let line = '';
  for (const word of paragraph.match(/(?:`[^`]*`|[^\s`])+/g) ?? []) {
    if (line !== '' && line.length + 1 + word.length > LINE_CHARS_MAX) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => one.replace(/^(?=[>#+*-] )/, '\\')).join('\n');
}

function renderTable(heads, rows) {
  const lines = [heads, ...rows].map((cells) => `| ${cells.map(escapeCell).join(' | ')} |`.replaceAll('|  |', '| |'));
  return lines.toSpliced(1, 0, `|${'---|'.repeat(heads.length)}`).join('\n');
}

function escapeCell(text) {
  return text.replaceAll('|', String.raw`\|`);
}
