/**
 * Renders lines of output and their times as an animated SVG: a terminal window in which lines appear and scroll. Pure.
 *
 * It plays by CSS keyframes alone, so that it also plays inside an `<img>`, where no script runs. The times are real
 * except that long pauses are cut to a cap, the longest that lets a whole loop end within `LOOP_MAX_MS`. Without
 * animation, or for a viewer who prefers reduced motion, it shows the last screen.
 */
import { shortenPauses } from './playback-times.js';
import { layOutLine, type Row, type Run } from './terminal-rows.js';

/** A line of output. It may have ANSI styles. */
export interface TimedLine {
  readonly text: string;
  /** Since the start of the recording. */
  readonly atMs: number;
}

/** The simulated terminal window. */
export interface TerminalWindow {
  /** In its title bar, and what screen readers read. */
  readonly title: string;
  readonly columns: number;
  /** The lowest row belongs to the cursor. */
  readonly rows: number;
}

/** How long a loop may take, the last screen included. */
export const LOOP_MAX_MS = 25_000;
/** How long the last screen stays before the loop starts again. */
export const HOLD_MS = 4000;

/** In px. The width of a column is 0.6 em, as in most monospace fonts; `textLength` fits the others to it. */
const FONT = 14;
const COLUMN = 8.4;
const ROW = 19;
const BASELINE = 14;
const MARGIN = 16;
const BAR = 36;

const FAMILY = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace';

/** Renders the lines as an SVG document. */
export function renderAnimation(lines: readonly TimedLine[], window: TerminalWindow): string {
  const width = px(window.columns * COLUMN + 2 * MARGIN);
  const height = BAR + window.rows * ROW + MARGIN;
  const layouts = lines.map(({ text }) => layOutLine(text, window.columns));
  const playback = shortenPauses(
    lines.map(({ atMs }) => atMs),
    LOOP_MAX_MS - HOLD_MS,
  );
  const frames = collectFrames(layouts, playback.timesMs);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    `<!-- A recording in real time, except that pauses longer than ${Math.round(playback.capMs)} ms are cut to that. -->`,
    `<title id="title">${escapeText(window.title)}</title>`,
    `<style>\n${formatStyle(frames, (playback.timesMs.at(-1) ?? 0) + HOLD_MS, window.rows - 1)}\n</style>`,
    `<clipPath id="screen"><rect y="${BAR}" width="${width}" height="${window.rows * ROW}"/></clipPath>`,
    `<rect class="window" width="${width}" height="${height}" rx="8"/>`,
    ...['red', 'yellow', 'green'].map(
      (colour, index) => `<circle class="${colour}" cx="${20 + index * 20}" cy="18" r="6"/>`,
    ),
    `<text class="bar" x="50%" y="23">${escapeText(window.title)}</text>`,
    '<g clip-path="url(#screen)">',
    '<g class="rows">',
    ...layouts.flat().flatMap(formatRow),
    '</g>',
    // Covers everything that is not printed yet.
    '<g class="cover">',
    `<rect class="window" y="${BAR}" width="${width}" height="${window.rows * ROW}"/>`,
    `<rect class="cursor" x="${MARGIN}" y="${BAR + 2}" width="${COLUMN}" height="${ROW - 4}"/>`,
    '</g>',
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** The number of rows that are printed from a time on. */
interface Frame {
  readonly atMs: number;
  readonly rows: number;
}

function collectFrames(layouts: readonly (readonly Row[])[], timesMs: readonly number[]): readonly Frame[] {
  let rows = 0;
  const printed = layouts.map((layout, index) => ({ atMs: timesMs[index] ?? 0, rows: (rows += layout.length) }));
  return [{ atMs: 0, rows: 0 }, ...printed];
}

const PALETTE = {
  window: '#0d1117',
  text: '#d1d7e0',
  bar: '#8b949e',
  cursor: '#8b949e',
  red: '#ff7b72',
  green: '#56d364',
  yellow: '#e3b341',
  blue: '#79c0ff',
  magenta: '#d2a8ff',
  cyan: '#56d4dd',
} as const;

/** Two things move, in steps: first the cover goes down row by row, then the rows go up. */
function formatStyle(frames: readonly Frame[], loopMs: number, textRows: number): string {
  const steps = frames.map(({ atMs, rows }) => ({
    percent: ((atMs / loopMs) * 100).toFixed(2),
    down: Math.min(rows, textRows) * ROW,
    up: -Math.max(rows - textRows, 0) * ROW,
  }));
  const last = steps.at(-1);
  const play = `${(loopMs / 1000).toFixed(2)}s step-end infinite`;
  return [
    `text{font-size:${FONT}px;font-family:${FAMILY}}`,
    ...Object.entries(PALETTE).map(([name, colour]) => `${name === 'text' ? '' : '.'}${name}{fill:${colour}}`),
    '.bold{font-weight:bold}',
    '.dim{fill-opacity:.65}',
    '.bar{text-anchor:middle}',
    `.rows{transform:translateY(${last?.up ?? 0}px)}`,
    `.cover{transform:translateY(${last?.down ?? 0}px)}`,
    formatKeyframes('rows-up', new Map(steps.map(({ percent, up }) => [percent, up]))),
    formatKeyframes('cover-down', new Map(steps.map(({ percent, down }) => [percent, down]))),
    `@media (prefers-reduced-motion:no-preference){.rows{animation:rows-up ${play}}.cover{animation:cover-down ${play}}}`,
  ].join('\n');
}

/**
 * Keyframes by percent of the loop. Of several moves at one percent the last counts; a step without a move is left out.
 */
function formatKeyframes(name: string, moves: ReadonlyMap<string, number>): string {
  let last: number | undefined;
  const steps: string[] = [];
  for (const [percent, move] of moves) {
    if (move !== last) steps.push(`${percent}%{transform:translateY(${move}px)}`);
    last = move;
  }
  return `@keyframes ${name}{${steps.join('')}}`;
}

function formatRow(row: Row, index: number): readonly string[] {
  return row.map((run) => formatRun(run, BAR + index * ROW + BASELINE));
}

function formatRun({ column, columns, classes, text }: Run, y: number): string {
  const style = classes === '' ? '' : ` class="${classes}"`;
  const fit = columns === 1 ? '' : ` textLength="${px(columns * COLUMN)}"`;
  return `<text${style} x="${px(MARGIN + column * COLUMN)}" y="${y}"${fit}>${escapeText(text)}</text>`;
}

function px(length: number): number {
  return Math.round(length * 10) / 10;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
}
