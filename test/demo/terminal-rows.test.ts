/** The layout of lines: wrapping, wide characters, styles and what is dropped. */
import { describe, expect, it } from 'vitest';
import { layOutLine } from '../../demo/terminal-rows.js';

const ESC = '\u001B';
const run = (column: number, columns: number, text: string, classes = '') => ({ column, columns, classes, text });

describe('a line', () => {
  it.each([
    { what: 'without characters', line: '', rows: [[]] },
    { what: 'of spaces', line: '   ', rows: [[]] },
    { what: 'of words', line: 'one two', rows: [[run(0, 7, 'one two')]] },
    { what: 'with an indent', line: '  one', rows: [[run(2, 3, 'one')]] },
    { what: 'in columns', line: 'one   two ', rows: [[run(0, 3, 'one'), run(6, 3, 'two')]] },
    { what: 'as wide as the window', line: '0123456789', rows: [[run(0, 10, '0123456789')]] },
    { what: 'one character too long', line: '0123456789a', rows: [[run(0, 10, '0123456789')], [run(0, 1, 'a')]] },
    { what: 'three rows long', line: 'a'.repeat(21), rows: [10, 10, 1].map((n) => [run(0, n, 'a'.repeat(n))]) },
    { what: 'that wraps at a space', line: '012345678 9', rows: [[run(0, 9, '012345678')], [run(0, 1, '9')]] },
  ])('$what', ({ line, rows }) => {
    expect(layOutLine(line, 10)).toEqual(rows);
  });
});

describe('wide characters', () => {
  it.each([
    { what: 'take two columns', line: '日本x', rows: [[run(0, 4, '日本'), run(4, 1, 'x')]] },
    { what: 'that do not fit wrap', line: '012345678日', rows: [[run(0, 9, '012345678')], [run(0, 2, '日')]] },
    { what: 'in emoji of several code points are one', line: '👩‍💻x', rows: [[run(0, 2, '👩‍💻'), run(2, 1, 'x')]] },
    { what: 'are not those with combining marks', line: 'e\u0301x', rows: [[run(0, 2, 'e\u0301x')]] },
  ])('$what', ({ line, rows }) => {
    expect(layOutLine(line, 10)).toEqual(rows);
  });
});

describe('styles', () => {
  it.each([
    { what: 'end at a reset', line: `${ESC}[2mab${ESC}[0m c`, runs: [run(0, 2, 'ab', 'dim'), run(3, 1, 'c')] },
    {
      what: 'end at a reset without a number',
      line: `${ESC}[1ma${ESC}[mb`,
      runs: [run(0, 1, 'a', 'bold'), run(1, 1, 'b')],
    },
    { what: 'add up', line: `${ESC}[1;36mab`, runs: [run(0, 2, 'ab', 'bold cyan')] },
    {
      what: 'end one by one',
      line: `${ESC}[1;36ma${ESC}[22mb`,
      runs: [run(0, 1, 'a', 'bold cyan'), run(1, 1, 'b', 'cyan')],
    },
    { what: 'that are unknown have no effect', line: `${ESC}[4mab`, runs: [run(0, 2, 'ab')] },
  ])('$what', ({ line, runs }) => {
    expect(layOutLine(line, 10)).toEqual([runs]);
  });

  it('go on in the next row', () => {
    expect(layOutLine(`${ESC}[32mabcd`, 3)).toEqual([[run(0, 3, 'abc', 'green')], [run(0, 1, 'd', 'green')]]);
  });
});

describe('what cannot be shown', () => {
  it.each([
    { what: 'other control sequences', line: `${ESC}[2K${ESC}[?25lab` },
    { what: 'control characters', line: 'a\u0000\u0007\rb' },
    { what: 'half of a surrogate pair', line: 'a\uD83Db' },
    { what: 'noncharacters', line: 'a\uFFFEb\uFFFF' },
  ])('is dropped: $what', ({ line }) => {
    expect(layOutLine(line, 10)).toEqual([[run(0, 2, 'ab')]]);
  });
});
