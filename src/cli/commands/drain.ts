/** `tritmesh drain` and `tritmesh resume`: turn off and on whether a node accepts work. */
import { requestNode, printAnswer } from '../request/request-node.js';
import type { Context } from '../context.js';

export async function drainNode(context: Context, value: 'ON' | 'OFF'): Promise<number> {
  const { id } = context.config;
  const response = await requestNode(context, id, 'drain', { value });
  const sentence = value === 'ON' ? `${id} accepts no more work and lets its guests leave` : `${id} accepts work again`;
  return printAnswer(context, sentence, response);
}
