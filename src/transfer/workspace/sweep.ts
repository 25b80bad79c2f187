/**
 * Finds and removes what is no longer needed below a state directory: guests and items that the journal does not
 * know, and whatever could not be removed before. The caller decides what is needed, and is asked again right before
 * a guest or item is removed.
 */
import { access, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { measureTree } from '../../os/measure-tree.js';
import { ITEM_ID_PATTERN, NODE_ID_PATTERN } from '../../protocol/topics.js';
import { KEPT_MARK } from './kept-guests.js';
import { TRASH_DIRECTORY, type Trash } from './trash.js';
import type { Needed, Swept, SweptPath } from '../transfer.js';

/** An empty directory takes at most one block. */
const DIRECTORY_BYTES = 4096;

/** Sweeps a state directory and returns what was removed; with `dryRun` nothing is removed. */
export async function sweepState(stateDir: string, needed: Needed, dryRun: boolean, trash: Trash): Promise<Swept> {
  const paths: SweptPath[] = [];
  const rest = await measureTree(join(stateDir, TRASH_DIRECTORY));
  if (rest > DIRECTORY_BYTES) paths.push({ path: TRASH_DIRECTORY, bytes: rest });
  const left = dryRun ? [] : await trash.empty();
  let kept = 0;
  for await (const { path, isNeeded } of listUnneeded(stateDir, needed)) {
    if (await isMarked(path)) {
      kept += 1;
      continue;
    }
    const bytes = await measureTree(path);
    // The node keeps running meanwhile: what it has started to use since is kept.
    if (isNeeded()) continue;
    if (!dryRun) await trash.remove(path);
    paths.push({ path: relative(stateDir, path), bytes });
  }
  return { paths, bytes: paths.reduce((sum, one) => sum + one.bytes, 0), kept, left };
}

interface Candidate {
  readonly path: string;
  isNeeded(): boolean;
}

/** Skips names that are not valid ids. */
async function* listUnneeded(stateDir: string, needed: Needed): AsyncGenerator<Candidate, void, void> {
  for (const item of await listNames(join(stateDir, 'items'), ITEM_ID_PATTERN)) {
    const isNeeded = (): boolean => needed.item(item);
    if (!isNeeded()) yield { path: join(stateDir, 'items', item), isNeeded };
  }
  const guests = join(stateDir, 'guests');
  for (const owner of await listNames(guests, NODE_ID_PATTERN)) {
    for (const item of await listNames(join(guests, owner), ITEM_ID_PATTERN)) {
      for (const epoch of await listNames(join(guests, owner, item), /^\d{1,16}$/)) {
        const isNeeded = (): boolean => needed.guest(`${owner}/${item}/${epoch}`);
        if (!isNeeded()) yield { path: join(guests, owner, item, epoch), isNeeded };
      }
    }
  }
}

async function listNames(directory: string, pattern = /^/): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => pattern.test(name)).toSorted();
}

async function isMarked(path: string): Promise<boolean> {
  return access(join(path, KEPT_MARK)).then(
    () => true,
    () => false,
  );
}
