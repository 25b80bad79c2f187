/** `tritmesh retry ITEM`: a person decides that a lost item is to be started once more. */
import { askNode, printAnswer, readItemReference } from './ask-node.js';
import type { Context } from './context.js';

export async function retryItem(context: Context, text: string): Promise<number> {
  const { owner, item } = readItemReference(text, context.config.id);
  const response = await askNode(context, owner, 'retry', { item });
  return printAnswer(context, `${owner} starts ${item} once more`, response);
}
