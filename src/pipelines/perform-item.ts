/**
 * Performs what an owner wants done for its items: inputs are staged and shared, outputs fetched and put into place.
 */
import type { ItemEffect } from '../core/effects.js';
import type { Bundle, Contents, Ended } from '../transfer/transfer.js';
import type { NodeInput } from './inputs.js';
import { factsOf, inputShare, outputShare, type Part, type PerformParts } from './perform-parts.js';

/** Makes the part that serves items of this owner. */
export function createItemPerformer(parts: PerformParts): Part<ItemEffect> {
  const { workspace, transfer, self } = parts;
  const bundles = new Map<string, Bundle>();
  /** What came home last of each item, until it is carried or settled. */
  const cameHome = new Map<string, { readonly epoch: number; readonly contents: Contents }>();
  /** Shares asked for before the bundle was described again, or the receiver's key known, after a restart. */
  const early = new Map<string, Extract<ItemEffect, { type: 'Share' }>>();
  type OwnerFact = Extract<NodeInput, { type: 'OwnerFact' }>['fact'];
  const tell = (item: string, fact: OwnerFact): void => parts.push({ type: 'OwnerFact', item, fact });

  function takeBundle(item: string, image: boolean, ended: Ended<Bundle>): void {
    if (!ended.ok) return tell(item, { type: 'StageFailed', reason: ended.reason });
    bundles.set(bundleKey(item, image), ended.value);
    const share = early.get(item);
    early.delete(item);
    if (share !== undefined) shareItem(share);
    tell(item, { type: 'ItemStaged', bundle: factsOf(ended.value), image });
  }

  function shareItem(effect: Extract<ItemEffect, { type: 'Share' }>): void {
    const bundle = bundles.get(bundleKey(effect.item, effect.image));
    const peerKey = parts.keyOf(effect.to);
    if (bundle === undefined || peerKey === undefined) early.set(effect.item, effect);
    else transfer.share({ share: inputShare(self, effect.item, effect.epoch), bundle, peerKey });
  }

  /** Fetches under way by item, and pushes by item and epoch: each with what abandons it. */
  const homes = new Map<string, () => void>();
  const pushes = new Map<string, () => void>();

  function takeHome({ item, epoch }: { item: string; epoch: number }, ended: Ended<Contents>): void {
    // Its receiver may describe its outputs anew after a restart; how long that is waited for, the owner decides.
    homes.delete(item);
    if (!ended.ok) {
      const { reason, unreached } = ended;
      return tell(item, { type: 'HomeFetchFailed', epoch, reason, final: false, unreached });
    }
    cameHome.set(item, { epoch, contents: ended.value });
    tell(item, { type: 'HomeFetched', epoch });
  }

  function openHome(effect: Extract<ItemEffect, { type: 'OpenHome' }>): void {
    const { item, epoch, sealed, sha256 } = effect;
    const share = outputShare(self, item, epoch);
    const directory = workspace.homeDirectory(item, epoch);
    // Both would write to the same place.
    homes.get(item)?.();
    homes.delete(item);
    transfer.open({ share, sealed, sha256, directory }, (ended) =>
      takeHome(effect, ended.ok ? { ok: true, value: ended.value.contents } : ended),
    );
  }

  function fetchHome(effect: Extract<ItemEffect, { type: 'FetchHome' }>): void {
    const { item, epoch } = effect;
    const done = (ended: Ended<Contents>): void => takeHome(effect, ended);
    if (effect.from === self) return workspace.adoptGuest(self, item, epoch, done);
    const peerKey = parts.keyOf(effect.from);
    if (peerKey === undefined)
      return done({ ok: false, reason: `the birth of ${effect.from} was not heard`, final: false });
    homes.get(item)?.();
    const abandon = transfer.fetch(
      {
        share: outputShare(self, item, epoch),
        urls: effect.urls,
        sha256: effect.sha256,
        peerKey,
        directory: workspace.homeDirectory(item, epoch),
        onProgress: () => undefined,
        onUnreached: (reason) => tell(item, { type: 'HomeUnreached', epoch, reason }),
      },
      (ended) => done(ended.ok ? { ok: true, value: ended.value.contents } : ended),
    );
    homes.set(item, abandon);
  }

  /** A receiver asks as long as nothing comes: what is on its way already is enough. */
  function pushInputs({ item, epoch, urls }: Extract<ItemEffect, { type: 'PushInputs' }>): void {
    const share = inputShare(self, item, epoch);
    if (pushes.has(share)) return;
    let isOver = false;
    const abandon = transfer.push(share, urls, () => {
      isOver = true;
      pushes.delete(share);
    });
    if (!isOver) pushes.set(share, abandon);
  }

  function unshare({ item, epoch }: Extract<ItemEffect, { type: 'Unshare' }>): void {
    const share = inputShare(self, item, epoch);
    early.delete(item);
    pushes.get(share)?.();
    pushes.delete(share);
    transfer.unshare(share);
  }

  function carry(effect: Extract<ItemEffect, { type: 'Carry' }>): void {
    const { item, epoch, image } = effect;
    workspace.carry(item, epoch, image, (carried) => {
      if (!carried.ok) return tell(item, { type: 'CarryFailed', epoch, reason: carried.reason });
      describeCarried(effect, (ended) => {
        if (!ended.ok) return tell(item, { type: 'CarryFailed', epoch, reason: ended.reason });
        bundles.set(bundleKey(item, image), ended.value);
        tell(item, { type: 'ItemCarried', epoch, bundle: factsOf(ended.value), image });
      });
    });
  }

  /** By what is known of it, as long as this run of the node knows it. */
  function describeCarried(
    { item, epoch, command, image }: Extract<ItemEffect, { type: 'Carry' }>,
    done: (ended: Ended<Bundle>) => void,
  ): void {
    const known = cameHome.get(item);
    cameHome.delete(item);
    const isKnown = known?.epoch === epoch && known.contents.files.some(({ path }) => path.startsWith('image/'));
    if (!image || !isKnown) return workspace.restage(item, command, image, done);
    workspace.resealImage(item, known.contents, command, (ended) =>
      ended.ok ? done(ended) : workspace.restage(item, command, image, done),
    );
  }

  const perform = (effect: ItemEffect): void => {
    switch (effect.type) {
      case 'Stage':
        return workspace.stage(effect.item, effect.inputs, effect.command, (ended) =>
          takeBundle(effect.item, false, ended),
        );
      case 'Restage':
        return workspace.restage(effect.item, effect.command, effect.image, (ended) =>
          takeBundle(effect.item, effect.image, ended),
        );
      case 'Share':
        return shareItem(effect);
      case 'Unshare':
        return unshare(effect);
      case 'FetchHome':
        return fetchHome(effect);
      case 'OpenHome':
        return openHome(effect);
      case 'PushInputs':
        return pushInputs(effect);
      case 'Place':
        cameHome.delete(effect.item);
        return workspace.place(effect.item, effect.epoch, effect.destination, (ended) =>
          tell(
            effect.item,
            ended.ok
              ? { type: 'HomePlaced', epoch: effect.epoch }
              : { type: 'PlaceFailed', epoch: effect.epoch, reason: ended.reason, final: ended.final },
          ),
        );
      case 'Carry':
        return carry(effect);
      case 'DropImage':
        bundles.delete(bundleKey(effect.item, true));
        return workspace.dropImage(effect.item);
      case 'RemoveItem':
        homes.get(effect.item)?.();
        homes.delete(effect.item);
        cameHome.delete(effect.item);
        for (const image of [false, true]) bundles.delete(bundleKey(effect.item, image));
        return workspace.removeItem(effect.item, effect.all);
    }
  };

  const release = (node: string): void => {
    for (const share of [...early.values()].filter((one) => one.to === node)) {
      early.delete(share.item);
      shareItem(share);
    }
  };
  return { perform, release };
}

/** The image of an item's process is a bundle of its own beside its inputs. */
function bundleKey(item: string, image: boolean): string {
  return image ? `${item}/image` : item;
}
