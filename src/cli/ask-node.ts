/** One request to a node for a command: connects, asks, disconnects. */
import { loadSigner } from '../compose-client.js';
import type { Response } from '../protocol/messages.js';
import type { Verb } from '../protocol/requests.js';
import { ITEM_ID_PATTERN, NODE_ID_PATTERN } from '../protocol/topics.js';
import { createAsker } from './ask.js';
import { printJson, type Context } from './context.js';
import { BadInput, EXIT } from './failure.js';
import { openBrokerClient, openClient } from './look.js';

/** Asks `node`, which may take `answerMs` (default: 10 s). Rejects with AskFailed or BrokerUnreachable. */
export async function askNode(
  { config }: Context,
  node: string,
  verb: Verb,
  body: object,
  answerMs?: number,
): Promise<Response> {
  const signer = await loadSigner(config.state_dir, config.id);
  const client = node === config.id ? openClient(config) : openBrokerClient(config);
  const asker = createAsker({ ...client, node, verbs: [verb], signer, answerMs });
  try {
    await client.connect();
    return await asker.ask(verb, body);
  } finally {
    await client.close();
  }
}

/** Prints what a node answered: its data as JSON, or `sentence` and what else it said. */
export function printAnswer(context: Context, sentence: string, { data }: Response): number {
  if (context.json) {
    printJson(context, data);
    return EXIT.done;
  }
  const facts = Object.entries(data).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  context.print(facts.length === 0 ? `${sentence}\n` : `${sentence} (${facts.join(', ')})\n`);
  return EXIT.done;
}

/** An item and its owner. */
export interface ItemReference {
  readonly owner: string;
  readonly item: string;
}

/** Reads `ITEM` or `OWNER/ITEM`. Throws {@link BadInput}. */
export function readItemReference(text: string, defaultOwner: string): ItemReference {
  const slash = text.indexOf('/');
  const owner = slash === -1 ? defaultOwner : text.slice(0, slash);
  const item = text.slice(slash + 1);
  if (NODE_ID_PATTERN.test(owner) && ITEM_ID_PATTERN.test(item)) return { owner, item };
  throw new BadInput(
    'ITEM',
    text,
    'must be an item id such as mh2k8x1p-7qd3, or OWNER/ITEM; "tritmesh items" lists them',
  );
}
