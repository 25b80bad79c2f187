/** `tritmesh migrate ITEM|PID|top`: moves work off a node, to the best receiver or to the named node. */
import { NODE_ID_PATTERN } from '../../protocol/topics.js';
import { requestNode, printAnswer, readItemReference } from '../request/request-node.js';
import type { Context } from '../context.js';
import { BadInput } from '../failure.js';

export async function migrateWork(context: Context, what: string, to: string | undefined): Promise<number> {
  if (to !== undefined && !NODE_ID_PATTERN.test(to)) throw new BadInput('--to', to, 'must be a node id');
  const { node, choice } = readChoice(what, context.config.id);
  const response = await requestNode(context, node, 'migrate', { ...choice, ...(to === undefined ? {} : { to }) });
  return printAnswer(context, `${node} is moving ${what}`, response);
}

function readChoice(what: string, id: string): { readonly node: string; readonly choice: object } {
  if (what === 'top') return { node: id, choice: { select: 'top' } };
  if (/^[1-9]\d{0,9}$/.test(what)) return { node: id, choice: { pid: Number(what) } };
  const { owner, item } = readItemReference(what, id);
  return { node: owner, choice: { item } };
}
