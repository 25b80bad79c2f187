/** Holds docs/reference/cli.md to the program: it is what `npm run docs:cli` writes, and nothing in it lacks a text. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.js';

const ROOT = new URL('../../', import.meta.url);

const { renderReference } = (await import(new URL('.ci/render-cli.mjs', ROOT).href)) as {
  readonly renderReference: (program: Command) => string;
};
const program = createProgram('0.0.0', () => undefined);
const commands = listCommands(program, program.name());

describe('the reference of the command line', () => {
  it('is the page that npm run docs:cli writes', () => {
    const page = readFileSync(new URL('docs/reference/cli.md', ROOT), 'utf8');
    expect(page).toBe(renderReference(program));
  });

  it('has a section for each command', () => {
    const lines = renderReference(program).split('\n');
    const heads = lines.filter((line) => line.startsWith('## `tritmesh '));
    expect(commands.length).toBeGreaterThan(20);
    expect(heads.map((head) => /`(tritmesh [a-z]+(?:[ -][a-z]+)*)/.exec(head)?.[1])).toEqual(
      commands.map(({ name }) => name),
    );
  });
});

it('each command, argument and option says what it is for', () => {
  const silent = commands.filter(({ command }) =>
    [
      command.description(),
      ...command.registeredArguments.map((one) => one.description),
      ...command.options.map((one) => one.description),
    ].includes(''),
  );
  expect(silent.map(({ name }) => name)).toEqual([]);
});

interface Named {
  readonly name: string;
  readonly command: Command;
}

function listCommands(parent: Command, path: string): readonly Named[] {
  return parent.commands.flatMap((command) => {
    const name = `${path} ${command.name()}`;
    return [{ name, command }, ...listCommands(command, name)];
  });
}
