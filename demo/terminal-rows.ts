/**
 * Lays out a line of terminal output in rows of a fixed width: it wraps where a terminal would, counts wide characters
 * as two columns and turns ANSI styles into class names. Pure.
 */

/** Neighbouring characters of one style. Its text has single spaces only, none at the ends. */
export interface Run {
  /** Where it starts, from 0. */
  readonly column: number;
  /** How many columns it takes. */
  readonly columns: number;
  /** Class names separated by spaces, e.g. `bold cyan`; empty for plain text. */
  readonly classes: string;
  readonly text: string;
}

/** A row on the screen, from left to right. A blank row has no runs. */
export type Row = readonly Run[];

/** Any control sequence (CSI), captured so that `split` keeps it. */
const SEQUENCE = /(\p{Cc}\[[\d;?]*[A-Za-z])/u;

/** Lays out one line; it takes at least one row. A sequence other than a style is dropped, a tab is one space. */
export function layOutLine(line: string, columns: number): readonly Row[] {
  let style = PLAIN;
  const cells: Cell[] = [];
  for (const part of line.split(SEQUENCE)) {
    if (SEQUENCE.test(part)) style = applySequence(style, part);
    else cells.push(...readCells(part, formatClasses(style)));
  }
  return wrapCells(cells, columns).map(joinCells);
}

interface Style {
  readonly weight: string;
  readonly colour: string;
}

const PLAIN: Style = { weight: '', colour: '' };
const RESET = 0;
const WEIGHTS: Readonly<Record<number, string>> = { 1: 'bold', 2: 'dim', 22: '' };
const COLOURS: Readonly<Record<number, string>> = {
  31: 'red',
  32: 'green',
  33: 'yellow',
  34: 'blue',
  35: 'magenta',
  36: 'cyan',
  39: '',
};

/** Only the styles in the tables above have an effect. */
function applySequence(style: Style, sequence: string): Style {
  if (!sequence.endsWith('m')) return style;
  // Without a number (`ESC [ m`) it is a reset, too: an empty text is 0.
  const codes = sequence.slice(2, -1).split(';').map(Number);
  return codes.reduce(applyCode, style);
}

function applyCode(style: Style, code: number): Style {
  if (code === RESET) return PLAIN;
  return { weight: WEIGHTS[code] ?? style.weight, colour: COLOURS[code] ?? style.colour };
}

function formatClasses({ weight, colour }: Style): string {
  return `${weight} ${colour}`.trim();
}

/** What a reader sees as one character. */
interface Cell {
  readonly text: string;
  readonly columns: number;
  readonly classes: string;
}

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** Control characters, halves of surrogate pairs and two noncharacters: XML allows none of them. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu;
/** Emoji, and the blocks that Unicode's East Asian Width lists as wide or fullwidth. */
const WIDE =
  /\p{Emoji_Presentation}|\uFE0F|[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}]/u;

function readCells(text: string, classes: string): readonly Cell[] {
  const printable = text.replaceAll('\t', ' ').replace(UNPRINTABLE, '');
  return Array.from(GRAPHEMES.segment(printable), ({ segment }) => ({
    text: segment,
    columns: WIDE.test(segment) ? 2 : 1,
    classes,
  }));
}

/** Breaks at the last column as a terminal does, even in the middle of a word. */
function wrapCells(cells: readonly Cell[], columns: number): readonly (readonly Cell[])[] {
  let row: Cell[] = [];
  const rows = [row];
  let column = 0;
  for (const cell of cells) {
    if (column + cell.columns > columns) {
      rows.push((row = []));
      column = 0;
    }
    row.push(cell);
    column += cell.columns;
  }
  return rows;
}

/**
 * Joins the cells of a row. Two spaces or more end a run, and so does a change of width: each run is placed at its own
 * column, so that text stays aligned where a font's wide characters are not exactly two columns wide.
 */
function joinCells(cells: readonly Cell[]): Row {
  const runs: Run[] = [];
  let column = 0;
  let spaces = 0;
  let last: Cell | undefined;
  for (const cell of cells) {
    if (cell.text === ' ') spaces += 1;
    else {
      const open = last !== undefined && canJoin(last, cell, spaces) ? runs.pop() : undefined;
      const start = open?.column ?? column;
      const text = open === undefined ? cell.text : open.text + ' '.repeat(spaces) + cell.text;
      runs.push({ column: start, columns: column + cell.columns - start, classes: cell.classes, text });
      last = cell;
      spaces = 0;
    }
    column += cell.columns;
  }
  return runs;
}

function canJoin(left: Cell, right: Cell, spaces: number): boolean {
  const spacesMax = right.columns === 1 ? 1 : 0;
  return left.classes === right.classes && left.columns === right.columns && spaces <= spacesMax;
}
