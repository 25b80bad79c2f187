/** The animated picture: well-formed, safe, in order, no longer than it may be, and at rest on its last screen. */
import { describe, expect, it } from 'vitest';
import { HOLD_MS, LOOP_MAX_MS, renderAnimation, type TimedLine } from '../../demo/animated-svg.js';

const WINDOW = { title: 'a demo', columns: 40, rows: 5 };
/** Of a row, px. */
const ROW = 19;

const render = (lines: readonly TimedLine[]): string => renderAnimation(lines, WINDOW);
const everySecond = (count: number): readonly TimedLine[] =>
  Array.from({ length: count }, (_, index) => ({ text: `line ${index}`, atMs: index * 1000 }));

describe('the text', () => {
  it('is escaped', () => {
    const picture = renderAnimation([{ text: `<a b="c">&amp;'`, atMs: 0 }], { ...WINDOW, title: 'a & <b>' });
    expect(picture).toContain(`>&lt;a b=&quot;c&quot;&gt;&amp;amp;'</text>`);
    expect(picture).toContain('<title id="title">a &amp; &lt;b&gt;</title>');
    expect(listElements(picture)).not.toContain('a');
  });

  it('is well-formed XML whatever the lines are', () => {
    const letters = Array.from({ length: 0x1_00 }, (_, code) => String.fromCharCode(code)).join('');
    const lines = [letters, ']]>', '--><script>', '日本語 \uD83D \uFFFF', '\u001B[1;31mred\u001B[0m'];
    const elements = listElements(render(lines.map((text, index) => ({ text, atMs: index * 100 }))));
    expect(elements[0]).toBe('svg');
    expect(elements).not.toContain('script');
  });

  it('has the styles of the terminal as classes', () => {
    expect(render([{ text: '\u001B[36m$ tritmesh\u001B[0m', atMs: 0 }])).toContain('<text class="cyan"');
  });

  it('has each row at a place of its own, a wrapped line at two', () => {
    const picture = render([...everySecond(3), { text: 'x'.repeat(WINDOW.columns + 1), atMs: 4000 }]);
    const places = [...picture.matchAll(/<text x="16" y="(\d+)"/g)].map(([, y]) => Number(y));
    expect(places).toHaveLength(5);
    expect(places.map((y) => y - (places[0] ?? 0))).toEqual([0, 1, 2, 3, 4].map((row) => row * ROW));
  });
});

describe('the playback', () => {
  it('prints down to the last row but one, then scrolls', () => {
    const picture = render(everySecond(7));
    expect(readMoves(picture, 'cover-down')).toEqual([1, 2, 3, 4].map((rows) => rows * ROW));
    expect(readMoves(picture, 'rows-up')).toEqual([0, -1, -2, -3].map((rows) => rows * ROW));
  });

  it('starts with an empty screen when the first line comes later', () => {
    expect(readMoves(render([{ text: 'late', atMs: 500 }]), 'cover-down')).toEqual([0, ROW]);
  });

  it('shows lines of one moment at once', () => {
    const lines = ['a', 'b', 'c'].map((text) => ({ text, atMs: 200 }));
    expect(readMoves(render(lines), 'cover-down')).toEqual([0, 3 * ROW]);
  });

  it('goes forward in time, from 0 %', () => {
    const picture = render(Array.from({ length: 300 }, (_, index) => ({ text: '.', atMs: index * index })));
    for (const name of ['cover-down', 'rows-up']) {
      const percents = readSteps(picture, name).map(({ percent }) => percent);
      expect(percents[0]).toBe(0);
      for (const [index, percent] of percents.slice(1).entries()) expect(percent).toBeGreaterThan(percents[index] ?? 0);
      expect(percents.at(-1)).toBeLessThan(100);
    }
  });

  it('takes as long as the lines do, and the hold', () => {
    expect(readLoopMs(render(everySecond(4)))).toBe(3000 + HOLD_MS);
  });

  it('is cut to its limit and says so', () => {
    const picture = render(everySecond(100));
    expect(readLoopMs(picture)).toBe(LOOP_MAX_MS);
    expect(picture).toContain('pauses longer than 212 ms are cut to that');
  });

  it('has no more steps than lines', () => {
    expect(readSteps(render(everySecond(100)), 'rows-up').length).toBeLessThanOrEqual(100);
  });
});

describe('without animation', () => {
  it('it shows the last screen', () => {
    const style = render(everySecond(7)).split('@keyframes')[0];
    expect(style).toContain(`.rows{transform:translateY(${-3 * ROW}px)}`);
    expect(style).toContain(`.cover{transform:translateY(${4 * ROW}px)}`);
  });

  it('nothing moves for a viewer who prefers reduced motion', () => {
    const picture = render(everySecond(7));
    expect(picture.match(/animation:/g)).toHaveLength(2);
    expect(picture).toMatch(
      /@media \(prefers-reduced-motion:no-preference\)\{\.rows\{animation:.*\}\.cover\{animation:.*\}\}/,
    );
  });

  it('an empty recording is an empty window', () => {
    const picture = render([]);
    expect(listElements(picture)).toContain('svg');
    expect(readMoves(picture, 'cover-down')).toEqual([0]);
  });
});

it('is far below 100 KB for a demo of 200 long lines', () => {
  const text = `\u001B[2m12.34 s\u001B[0m  \u001B[2m${'tritmesh/work/alpha'.padEnd(49)}\u001B[0m  ${'x'.repeat(70)}`;
  const lines = Array.from({ length: 200 }, (_, index) => ({ text, atMs: index * 300 }));
  const picture = renderAnimation(lines, { title: 'a demo', columns: 120, rows: 30 });
  expect(Buffer.byteLength(picture)).toBeLessThan(90_000);
});

interface Step {
  readonly percent: number;
  readonly move: number;
}

function readSteps(picture: string, name: string): readonly Step[] {
  const [, body = ''] = new RegExp(`@keyframes ${name}\\{(.*)\\}`).exec(picture) ?? [];
  return [...body.matchAll(/([\d.]+)%\{transform:translateY\((-?\d+)px\)\}/g)].map(([, percent, move]) => ({
    percent: Number(percent),
    move: Number(move),
  }));
}

function readMoves(picture: string, name: string): readonly number[] {
  return readSteps(picture, name).map(({ move }) => move);
}

function readLoopMs(picture: string): number {
  const [, seconds] = /animation:cover-down ([\d.]+)s step-end infinite/.exec(picture) ?? [];
  return Number(seconds) * 1000;
}

/**
 * The names of all elements, in order. Throws unless the text is well-formed XML as far as the pictures use it: tags
 * are closed in order, attributes are quoted, and there is no bare `<` or `&` and no forbidden character.
 */
function listElements(xml: string): readonly string[] {
  const names: string[] = [];
  const open: string[] = [];
  const token =
    /<!--(?:(?!--)[^])*-->|<(?<end>\/)?(?<name>[A-Za-z]+)(?:\s+[A-Za-z-]+="(?:[^"<&]|&\w+;)*")*\s*(?<empty>\/)?>|(?<text>(?:[^<&]|&(?:amp|lt|gt|quot);)+)/gy;
  for (const character of xml)
    if (/[^\P{Cc}\n]|\p{Cs}|[\uFFFE\uFFFF]/u.test(character))
      throw new Error(`forbidden: ${JSON.stringify(character)}`);
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex;
    const groups = token.exec(xml)?.groups;
    if (groups === undefined) throw new Error(`not well-formed at: ${xml.slice(at, at + 60)}`);
    const { end, name, empty, text } = groups;
    if (name === undefined) {
      if (text?.trim() && open.length === 0) throw new Error(`text outside: ${text}`);
    } else if (end !== undefined) {
      if (open.pop() !== name) throw new Error(`</${name}> closes another element`);
    } else {
      if (open.length === 0 && names.length > 0) throw new Error(`a second root: ${name}`);
      names.push(name);
      if (empty === undefined) open.push(name);
    }
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`);
  return names;
}
