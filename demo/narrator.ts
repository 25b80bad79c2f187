/**
 * Prints the demo as lines: the seconds since the start, the topic, and what happened. Colours are used only on a
 * terminal.
 */
import { formatTopic } from '../src/protocol/topics.js';
import type { BusEvent } from '../src/observe/bus-event.js';
import { describeHeard } from './heard-line.js';

/** Prints the course of the demo. */
export interface Narrator {
  /** A part begins. */
  part(title: string): void;
  /** Something that the demo itself does or has found. */
  print(text: string): void;
  /** A command as a user would type it. */
  command(line: string): void;
  /** What a command printed. */
  output(text: string): void;
  /** A message on the bus. Repetitions are not printed. */
  heard(base: string, heard: BusEvent): void;
  fail(text: string): void;
  succeed(text: string): void;
  /** Prints nothing more: cleaning up is not part of the demo. */
  silence(): void;
}

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, cyan: 36 } as const;
type Paint = (style: keyof typeof STYLES, text: string) => string;

/** Creates a narrator on stdout. `now` returns the time in ms. */
export function createNarrator(now: () => number): Narrator {
  const start = now();
  const paint = createPaint(process.stdout.isTTY && process.env['NO_COLOR'] === undefined);
  const printed = new Map<string, string>();
  let isSilent = false;
  const print = (text: string): void => {
    if (!isSilent) console.log(text);
  };
  const line = (text: string): void => print(`${paint('dim', formatSeconds(now() - start))}  ${text}`);
  return {
    part: (title) => print(`\n${paint('bold', title)}`),
    print: line,
    command: (text) => line(paint('cyan', `$ ${text}`)),
    output(text) {
      for (const one of text.trimEnd().split('\n')) line(`  > ${one}`);
    },
    heard(base, heard) {
      const text = describeHeard(heard);
      if (text === undefined || heard.type === 'refused') return;
      const topic = formatTopic(base, heard.topic);
      if (printed.get(topic) === text) return;
      printed.set(topic, text);
      line(`${paint('dim', topic.padEnd(TOPIC_CHARS))}  ${text}`);
    },
    fail: (text) => print(`\n${paint('red', `the demo failed: ${text}`)}`),
    succeed: (text) => print(`\n${paint('green', text)}`),
    silence: () => void (isSilent = true),
  };
}

/** The length of `tritmesh/work/alpha/<13 characters>/progress/alpha`. */
const TOPIC_CHARS = 49;

function createPaint(hasColour: boolean): Paint {
  return (style, text) => (hasColour ? `\u001B[${STYLES[style]}m${text}\u001B[0m` : text);
}

function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2).padStart(5)} s`;
}
