/** One request to a node on behalf of a command: connects, sends it, disconnects. */
import { loadSigner } from '../../compose/client.js';
import type { Response } from '../../protocol/messages.js';
import type { Verb } from '../../protocol/requests.js';
import { ITEM_ID_PATTERN, NODE_ID_PATTERN } from '../../protocol/topics.js';
import { createRequestClient } from './request-client.js';
import { printJson, type Context } from '../context.js';
import { BadInput, EXIT } from '../failure.js';
import { openBrokerClient, openClient } from '../snapshot.js';

/**
 * Sends a request to `node`, which may take `answerMs` (default: 10 s). Rejects with RequestFailed or
 * BrokerUnreachable.
 */
export async function requestNode(
  { config }: Context,
  node: string,
  verb: Verb,
  body: object,
  answerMs?: number,
): Promise<Response> {
  const signer = await loadSigner(config.state_dir, config.id);
  const client = node === config.id ? openClient(config) : openBrokerClient(config);
  const requests = createRequestClient({ ...client, node, verbs: [verb], signer, answerMs });
  try {
    await client.connect();
    return await requests.send(verb, body);
  } finally {
    await client.close();
  }
}

/** Prints an answer: its data as JSON, or `sentence` followed by the data. */
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

/** Names an item by its owner and id. */
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
