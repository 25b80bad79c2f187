/**
 * Tells the demo in lines: seconds since the start, the topic it happened on, what it means. Colour only on a terminal.
 */
import { formatTopic } from '../../src/protocol/topics.js';
import type { Heard } from '../../src/observe/heard.js';
import { describeHeard } from './heard-line.js';

/** Tells. */
export interface Narrator {
  /** A part begins. */
  part(title: string): void;
  /** Something that the demo does or found out itself. */
  tell(text: string): void;
  /** A command as a person would type it. */
  command(line: string): void;
  /** What a command printed. */
  output(text: string): void;
  /** Something that was on the bus; what is only repeated is not told again. */
  heard(base: string, heard: Heard): void;
  fail(text: string): void;
  succeed(text: string): void;
  /** Says nothing more: what happens while everything is ended is no part of the story. */
  hush(): void;
}

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, cyan: 36 } as const;
type Paint = (style: keyof typeof STYLES, text: string) => string;

/** Tells on stdout. */
export function createNarrator(now: () => number): Narrator {
  const start = now();
  const paint = createPaint(process.stdout.isTTY && process.env['NO_COLOR'] === undefined);
  const told = new Map<string, string>();
  let isHushed = false;
  const print = (text: string): void => {
    if (!isHushed) console.log(text);
  };
  const line = (text: string): void => print(`${paint('dim', formatSeconds(now() - start))}  ${text}`);
  return {
    part: (title) => print(`\n${paint('bold', title)}`),
    tell: line,
    command: (text) => line(paint('cyan', `$ ${text}`)),
    output(text) {
      for (const one of text.trimEnd().split('\n')) line(`  > ${one}`);
    },
    heard(base, heard) {
      const text = describeHeard(heard);
      if (text === undefined || heard.type === 'refused') return;
      const topic = formatTopic(base, heard.topic);
      if (told.get(topic) === text) return;
      told.set(topic, text);
      line(`${paint('dim', topic.padEnd(TOPIC_CHARS))}  ${text}`);
    },
    fail: (text) => print(`\n${paint('red', `the demo failed: ${text}`)}`),
    succeed: (text) => print(`\n${paint('green', text)}`),
    hush: () => void (isHushed = true),
  };
}

/** As long as `tritmesh/work/alpha/<13 characters>/progress/alpha`. */
const TOPIC_CHARS = 49;

function createPaint(hasColour: boolean): Paint {
  return (style, text) => (hasColour ? `\u001B[${STYLES[style]}m${text}\u001B[0m` : text);
}

function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2).padStart(5)} s`;
}
