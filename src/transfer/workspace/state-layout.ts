/**
 * The paths below a node's state directory. Names become paths only here, and only after they were checked to be ids,
 * so no path can lead outside.
 */
import { join } from 'node:path';
import { ITEM_ID_PATTERN, NODE_ID_PATTERN } from '../../protocol/topics.js';

/** Absolute paths. The methods throw RangeError for an invalid id or epoch, which the codec never lets through. */
export interface StateLayout {
  item(item: string): string;
  staged(item: string): string;
  image(item: string): string;
  home(item: string, epoch: number): string;
  guest(owner: string, item: string, epoch: number): string;
}

/** Creates the layout below `stateDir` (absolute). */
export function createLayout(stateDir: string): StateLayout {
  const itemDirectory = (item: string): string => join(stateDir, 'items', checkId(item, ITEM_ID_PATTERN));
  return {
    item: itemDirectory,
    staged: (item) => join(itemDirectory(item), 'in'),
    image: (item) => join(itemDirectory(item), 'image'),
    home: (item, epoch) => join(itemDirectory(item), 'home', checkEpoch(epoch)),
    guest: (owner, item, epoch) =>
      join(stateDir, 'guests', checkId(owner, NODE_ID_PATTERN), checkId(item, ITEM_ID_PATTERN), checkEpoch(epoch)),
  };
}

function checkId(id: string, pattern: RegExp): string {
  if (!pattern.test(id)) throw new RangeError(`not an id: ${id}`);
  return id;
}

function checkEpoch(epoch: number): string {
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new RangeError(`not an epoch: ${epoch}`);
  return String(epoch);
}
