/** Formats rows for a terminal: as a table if it fits, else as one block of lines per row. Pure. */
import Table from 'cli-table3';

/** One column: its heading, and whether its cells are aligned to the right, as numbers are. */
export interface Column {
  readonly head: string;
  readonly right?: boolean;
}

/** Formats rows with one cell per column; `width` is the terminal's, in characters. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string {
  return measureTable(columns, rows) <= width ? formatTable(columns, rows) : formatBlocks(columns, rows);
}

const GAP = 2;

function measureTable(columns: readonly Column[], rows: readonly (readonly string[])[]): number {
  const widths = columns.map((column, at) => Math.max(column.head.length, ...rows.map((row) => row[at]?.length ?? 0)));
  return widths.reduce((sum, one) => sum + one + GAP, -GAP);
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: columns.map((column) => column.head),
    colAligns: columns.map((column) => (column.right === true ? 'right' : 'left')),
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function formatBlocks(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const indent = Math.max(...columns.map((column) => column.head.length));
  return rows
    .map((row) =>
      columns
        .map((column, at) => ({ head: column.head, cell: row[at] ?? '' }))
        .filter(({ cell }) => cell !== '')
        .map(({ head, cell }) => `${head.padEnd(indent)}  ${cell}`)
        .join('\n'),
    )
    .join('\n\n');
}
