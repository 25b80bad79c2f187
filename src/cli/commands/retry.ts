/** `tritmesh retry ITEM`: asks the owner to start a lost item again, which only a person may decide. */
import { requestNode, printAnswer, readItemReference } from '../request/request-node.js';
import type { Context } from '../context.js';

export async function runRetry(context: Context, text: string): Promise<number> {
  const { owner, item } = readItemReference(text, context.config.id);
  const response = await requestNode(context, owner, 'retry', { item });
  return printAnswer(context, `${owner} starts ${item} again`, response);
}
