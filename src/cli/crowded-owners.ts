/**
 * Asks owners for the items that they do not keep on the bus, page by page. An owner that cannot tell, one of an older version or
 * one that does not answer, is named with how many are missing.
 */
import type { Config } from '../config/config.js';
import type { ItemSeen, MeshSnapshot } from '../observe/mesh-picture.js';
import { countUnseen, findCrowded } from '../observe/unseen-items.js';
import { ITEM_ID_PATTERN } from '../protocol/topics.js';
import { createAsker } from './ask.js';
import { openClient } from './look.js';
import { readStatus } from './standing.js';

/** All items, and a sentence for each owner whose items are not all there. */
export interface AllItems {
  readonly items: readonly ItemSeen[];
  readonly gaps: readonly string[];
}

/** How long an owner may take for a page, ms. */
const ANSWER_MS = 5000;
/** Pages that are asked of one owner: more items than anybody reads. */
const PAGES_MAX = 500;

/** Adds what is not on the bus to what is. */
export async function findAllItems(config: Config, snapshot: MeshSnapshot): Promise<AllItems> {
  const byId = new Map(snapshot.items.map((one) => [`${one.owner}/${one.item}`, one]));
  const gaps: string[] = [];
  for (const owner of findCrowded(snapshot)) {
    try {
      for (const one of await askOwner(config, owner)) byId.set(`${owner}/${one.item}`, one);
    } catch {
      const count = countUnseen(snapshot).find((one) => one.owner === owner)?.count ?? 0;
      if (count > 0) gaps.push(`${owner} has ${count} more waiting than it keeps on the bus, and does not tell them`);
    }
  }
  const items = [...byId.values()].toSorted((a, b) => (a.submitted_at < b.submitted_at ? -1 : 1));
  return { items, gaps };
}

async function askOwner(config: Config, owner: string): Promise<readonly ItemSeen[]> {
  const client = openClient(config);
  const asker = createAsker({ ...client, node: owner, verbs: ['items'], signer: undefined, answerMs: ANSWER_MS });
  const found: ItemSeen[] = [];
  try {
    await client.connect();
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const after = found.at(-1)?.item;
      const { data } = await asker.ask('items', after === undefined ? {} : { after });
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
