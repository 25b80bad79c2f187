/**
 * Asks owners for the items that they do not keep on the bus, page by page. An owner that cannot answer (an older
 * version, or no reply) is reported with the number of missing items.
 */
import type { Config } from '../../config/config.js';
import type { ItemSeen, MeshSnapshot } from '../../observe/mesh-model.js';
import { countUnseen, findCrowded } from '../../observe/unseen-items.js';
import { ITEM_ID_PATTERN } from '../../protocol/topics.js';
import { createRequestClient } from './request-client.js';
import { openClient } from '../snapshot.js';
import { readStatus } from '../job/item-standing.js';

/** All items, and a sentence for each owner whose list is incomplete. */
export interface AllItems {
  readonly items: readonly ItemSeen[];
  readonly gaps: readonly string[];
}

/** How long an owner may take for a page, ms. */
const ANSWER_MS = 5000;
/** Pages requested of one owner: more items than anyone reads. */
const PAGES_MAX = 500;

/** Completes the items of a snapshot with those that are not on the bus. */
export async function findAllItems(config: Config, snapshot: MeshSnapshot): Promise<AllItems> {
  const byId = new Map(snapshot.items.map((one) => [`${one.owner}/${one.item}`, one]));
  const gaps: string[] = [];
  for (const owner of findCrowded(snapshot)) {
    try {
      for (const one of await requestItems(config, owner)) byId.set(`${owner}/${one.item}`, one);
    } catch {
      const count = countUnseen(snapshot).find((one) => one.owner === owner)?.count ?? 0;
      if (count > 0)
        gaps.push(`${owner} has ${count} more waiting items than it keeps on the bus, and did not list them`);
    }
  }
  const items = [...byId.values()].toSorted((a, b) => (a.submitted_at < b.submitted_at ? -1 : 1));
  return { items, gaps };
}

async function requestItems(config: Config, owner: string): Promise<readonly ItemSeen[]> {
  const client = openClient(config);
  const requests = createRequestClient({
    ...client,
    node: owner,
    verbs: ['items'],
    signer: undefined,
    answerMs: ANSWER_MS,
  });
  const found: ItemSeen[] = [];
  try {
    await client.connect();
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const after = found.at(-1)?.item;
      const { data } = await requests.send('items', after === undefined ? {} : { after });
      const entries = Array.isArray(data['items']) ? data['items'].flatMap((one) => readEntry(owner, one)) : [];
      found.push(...entries);
      if (data['more'] !== true || entries.length === 0) break;
    }
    return found;
  } finally {
    await client.close();
  }
}

function readEntry(owner: string, entry: unknown): ItemSeen[] {
  const item = typeof entry === 'object' && entry !== null && 'item' in entry ? entry.item : undefined;
  const status = readStatus(entry);
  if (typeof item !== 'string' || !ITEM_ID_PATTERN.test(item) || status === undefined) return [];
  return [{ ...status, owner, item, owner_online: true, owner_gone: false }];
}
