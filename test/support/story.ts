/** What nodes and the bus said in a test that failed. */
import { onTestFinished } from 'vitest';
import type { BusListener } from './programs.js';

const TEXT_CHARS_MAX = 500;

/** A node whose output is kept. */
interface Teller {
  readonly id: string;
  output(): string;
}

/**
 * Prints the output of nodes, and the messages that `ear` heard, if the test fails. Call it after the hooks that remove
 * the nodes: hooks run in reverse, and `onTestFailed` only after all of them.
 */
export function tellIfFailed(nodes: readonly Teller[], ear?: BusListener): void {
  onTestFinished(({ task }) => {
    if (task.result?.state === 'fail') tellStory(nodes, ear);
  });
}

/** Prints the output of nodes, and the messages that `ear` heard. */
export function tellStory(nodes: readonly Teller[], ear?: BusListener): void {
  const said = nodes.map((node) => `--- ${node.id}\n${node.output()}`);
  const messages = ear?.heard.filter(({ topic }) => !/\/scum$|\/log\//.test(topic)) ?? [];
  const heard = messages.map(({ topic, text }) => `${topic} ${text.slice(0, TEXT_CHARS_MAX)}`);
  process.stderr.write(`${[...said, '--- heard', ...heard].join('\n')}\n`);
}
