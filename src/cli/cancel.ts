/** `tritmesh cancel ITEM`: takes an item back, wherever it is. */
import { askNode, printAnswer, readItemReference } from './ask-node.js';
import type { Context } from './context.js';

export async function cancelItem(context: Context, text: string): Promise<number> {
  const { owner, item } = readItemReference(text, context.config.id);
  const response = await askNode(context, owner, 'cancel', { item });
  return printAnswer(context, `${owner} cancels ${item}`, response);
}
