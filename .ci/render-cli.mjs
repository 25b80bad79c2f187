// Renders the reference of the command line as Markdown: the prose of cli-reference.md beside this file and, in place of the two
// comments in it, what the program says of itself: the options that its commands share, and each command with its own.
import { readFileSync } from 'node:fs';

const PROSE = new URL('cli-reference.md', import.meta.url);

/** The page for a program of commander's. */
export function renderReference(program) {
  const commands = listCommands(program, program.name());
  const shared = findShared(commands);
  const options = renderTable(['option', 'use', 'default'], shared.map(describeOption));
  const sections = [renderIndex(commands), ...commands.map((one) => renderCommand(one, shared))];
  return readFileSync(PROSE, 'utf8')
    .replace('<!-- shared options -->', () => options)
    .replace('<!-- commands -->', () => sections.join('\n\n'));
}

/** All commands, those of a command right after it. */
function listCommands(parent, path) {
  return parent.commands.flatMap((command) => {
    const name = `${path} ${command.name()}`;
    return [{ name, command }, ...listCommands(command, name)];
  });
}

/** Options that most commands have, with the same text; in the order of a command that has all of them. */
function findShared(commands) {
  const all = commands.map(({ command }) => command.options);
  const isCommon = (option) => all.filter((options) => has(options, keyOf(option))).length > all.length / 2;
  const common = all.map((options) => options.filter(isCommon));
  return common.toSorted((one, other) => other.length - one.length)[0];
}

function keyOf({ flags, description }) {
  return `${flags} ${description}`;
}

function has(options, key) {
  return options.some((option) => keyOf(option) === key);
}

function renderIndex(commands) {
  const rows = commands.map(({ name, command }) => {
    const link = `[\`${name}\`](#${nameAnchor(nameHeading(name, command))})`;
    return [link, command.description()];
  });
  return renderTable(['command', 'use'], rows);
}

function renderCommand({ name, command }, shared) {
  const own = command.options.filter((option) => !has(shared, keyOf(option)));
  const rows = [...command.registeredArguments.map(describeOperand), ...own.map(describeOption)];
  const missing = shared.filter(({ long }) => !command.options.some((option) => option.long === long));
  return [
    `## \`${nameHeading(name, command)}\``,
    formatSentence(command.description()),
    rows.length === 0 ? 'It has no options of its own.' : renderTable(['argument or option', 'use', 'default'], rows),
    ...missing.map(({ long }) => `It does not take \`${long}\`.`),
  ].join('\n\n');
}

/** `tritmesh cancel ITEM`. A command whose last argument takes all that follows says by itself how it is used. */
function nameHeading(name, command) {
  const operands = command.registeredArguments;
  const usage = operands.some((operand) => operand.variadic)
    ? command.usage().replace(/^\[\w+\] /, '')
    : operands.map(nameOperand).join(' ');
  return `${name} ${usage}`.trim();
}

function nameOperand(operand) {
  const name = operand.name().toUpperCase();
  return operand.required ? name : `[${name}]`;
}

/** As GitHub makes it of a heading. */
function nameAnchor(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

function describeOperand(operand) {
  const name = operand.name().toUpperCase();
  return [`\`${name}${operand.variadic ? ' …' : ''}\``, ...splitDefault(operand.description)];
}

function describeOption({ flags, description }) {
  return [`\`${flags}\``, ...splitDefault(description)];
}

/** Commander knows no defaults, since most are the configuration's: they stand at the end of a text. */
function splitDefault(description) {
  const [, text, value = 'yes'] = /^(.*) \(default(?:: (.*))?\)$/.exec(description) ?? [];
  return text === undefined ? [description, ''] : [text, value];
}

function formatSentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function renderTable(heads, rows) {
  const lines = [heads, ...rows].map((cells) => `| ${cells.map(escapeCell).join(' | ')} |`.replaceAll('|  |', '| |'));
  return lines.toSpliced(1, 0, `|${'---|'.repeat(heads.length)}`).join('\n');
}

function escapeCell(text) {
  return text.replaceAll('|', String.raw`\|`);
}
