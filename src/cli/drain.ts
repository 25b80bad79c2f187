/** `tritmesh drain` and `tritmesh resume`: whether a node takes work. */
import { askNode, printAnswer } from './ask-node.js';
import type { Context } from './context.js';

export async function drainNode(context: Context, value: 'ON' | 'OFF'): Promise<number> {
  const { id } = context.config;
  const response = await askNode(context, id, 'drain', { value });
  const sentence = value === 'ON' ? `${id} takes no more work and lets its guests go` : `${id} takes work again`;
  return printAnswer(context, sentence, response);
}
