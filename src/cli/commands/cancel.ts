/** `tritmesh cancel ITEM`: asks the owner of an item to cancel it, wherever it runs. */
import { requestNode, printAnswer, readItemReference } from '../request/request-node.js';
import type { Context } from '../context.js';

export async function runCancel(context: Context, text: string): Promise<number> {
  const { owner, item } = readItemReference(text, context.config.id);
  const response = await requestNode(context, owner, 'cancel', { item });
  return printAnswer(context, `${owner} cancels ${item}`, response);
}
