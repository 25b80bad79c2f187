/**
 * What must hold when disk space is short: no node keeps claiming an item that does not fit, and space that was
 * promised is there when it is needed. Like all invariants, these look only at messages and disks.
 */
import { SIM_RESERVE } from '../settings.js';
import type { SimDiskSpace } from '../parts/sim-disk-space.js';

/** What the checks observe. */
export interface DiskSpaceCheckDeps {
  now(): number;
  diskSpace(node: string): SimDiskSpace | undefined;
  report(promise: string, detail: string): void;
}

/** The checks of one simulation. */
export interface DiskSpaceChecks {
  /** An item is offered; its receiver has to fetch `bytes` bytes, its inputs or an image. */
  offered(owner: string, item: string, bytes: number): void;
  claimed(node: string, owner: string, item: string): void;
  /** A fetch failed for lack of disk space. */
  fetchLackedSpace(node: string, share: string): void;
}

/** A claim may rest on a sample this old, ms: nodes sample their disks each second, and messages take time. */
const STALE_MS = 3000;

/** Creates the checks. They report broken promises through `deps.report`. */
export function createDiskSpaceChecks(deps: DiskSpaceCheckDeps): DiskSpaceChecks {
  const futileSince = new Map<string, number>();
  const sizes = new Map<string, number>();
  const claims = new Map<string, number>();

  return {
    offered: (owner, item, bytes) => {
      sizes.set(`${owner}/${item}`, bytes);
    },
    claimed: (node, owner, item) => {
      claims.set(`${node} ${owner}/${item}`, deps.now());
      const space = deps.diskSpace(node);
      const needed = sizes.get(`${owner}/${item}`) ?? 0;
      if (space === undefined || needed === 0 || space.hasHiddenQuota || deps.now() - space.changedAt < STALE_MS)
        return;
      const free = space.reported().freeBytes - SIM_RESERVE;
      if (free >= needed) return;
      const key = `${node} ${owner}/${item} ${space.changedAt}`;
      const first = futileSince.get(key) ?? deps.now();
      futileSince.set(key, first);
      // One claim may rest on an older sample. The same claim again later may not.
      if (deps.now() - first < STALE_MS) return;
      deps.report(
        'no node claims an item again that does not fit on its disk',
        `${node} claimed ${item}, which needs ${needed}, with ${free} free`,
      );
    },
    fetchLackedSpace: (node, share) => {
      const space = deps.diskSpace(node);
      // Outputs belong to the owner, and are fetched however little space is free.
      if (space === undefined || !share.endsWith('/in') || space.hasHiddenQuota) return;
      // A node's own inputs and outputs may use space that it promised, and a fetch may wait for a long time.
      const promisedAt = claims.get(`${node} ${share.split('/').slice(0, 2).join('/')}`) ?? 0;
      if (deps.now() - space.changedAt < 2 * STALE_MS || space.changedAt > promisedAt) return;
      deps.report(
        'promised disk space is there when it is needed',
        `${node} had no space for ${share}, ${space.free()} free`,
      );
    },
  };
}
