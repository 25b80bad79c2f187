/**
 * Performs an owner's effects for its items: stages and shares inputs, fetches outputs and puts them into place. It
 * decides nothing: each outcome goes back as an input.
 */
import type { ItemEffect } from '../../core/effects.js';
import type { Bundle, Contents, Outcome } from '../../transfer/transfer.js';
import type { NodeInput } from '../inputs.js';
import { bundleInfo, inputShare, outputShare, type EffectPerformer, type PerformContext } from './perform-context.js';

/** Creates the performer of item effects. */
export function createItemPerformer(deps: PerformContext): EffectPerformer<ItemEffect> {
  const { workspace, transfer, self } = deps;
  const bundles = new Map<string, Bundle>();
  /** The outputs last fetched for each item, until they are carried into the next epoch or the item is settled. */
  const cameHome = new Map<string, { readonly epoch: number; readonly contents: Contents }>();
  /** Shares requested before the bundle was staged again, or before the receiver's key was known, after a restart. */
  const early = new Map<string, Extract<ItemEffect, { type: 'Share' }>>();
  type Input = Extract<NodeInput, { type: 'ItemInput' }>['input'];
  const report = (item: string, input: Input): void => deps.push({ type: 'ItemInput', item, input });

  function handleBundle(item: string, image: boolean, ended: Outcome<Bundle>): void {
    if (!ended.ok) return report(item, { type: 'StageFailed', reason: ended.reason });
    bundles.set(bundleKey(item, image), ended.value);
    const share = early.get(item);
    early.delete(item);
    if (share !== undefined) shareItem(share);
    report(item, { type: 'ItemStaged', bundle: bundleInfo(ended.value), image });
  }

  function shareItem(effect: Extract<ItemEffect, { type: 'Share' }>): void {
    const bundle = bundles.get(bundleKey(effect.item, effect.image));
    const peerKey = deps.keyOf(effect.to);
    if (bundle === undefined || peerKey === undefined) early.set(effect.item, effect);
    else transfer.share({ share: inputShare(self, effect.item, effect.epoch), bundle, peerKey });
  }

  /** Fetches in progress by item, and pushes by item and epoch, each with the function that cancels it. */
  const homes = new Map<string, () => void>();
  const pushes = new Map<string, () => void>();

  function handleHome({ item, epoch }: { item: string; epoch: number }, ended: Outcome<Contents>): void {
    // After a restart the receiver may still be preparing its outputs. The owner decides how long to wait for that.
    homes.delete(item);
    if (!ended.ok) {
      const { reason, unreached } = ended;
      return report(item, { type: 'HomeFetchFailed', epoch, reason, final: false, unreached });
    }
    cameHome.set(item, { epoch, contents: ended.value });
    report(item, { type: 'HomeFetched', epoch });
  }

  function openHome(effect: Extract<ItemEffect, { type: 'OpenHome' }>): void {
    const { item, epoch, sealed, sha256 } = effect;
    const share = outputShare(self, item, epoch);
    const directory = workspace.homeDirectory(item, epoch);
    // Both would write to the same directory.
    homes.get(item)?.();
    homes.delete(item);
    transfer.open({ share, sealed, sha256, directory }, (ended) =>
      handleHome(effect, ended.ok ? { ok: true, value: ended.value.contents } : ended),
    );
  }

  function fetchHome(effect: Extract<ItemEffect, { type: 'FetchHome' }>): void {
    const { item, epoch } = effect;
    const done = (ended: Outcome<Contents>): void => handleHome(effect, ended);
    if (effect.from === self) return workspace.adoptGuest(self, item, epoch, done);
    const peerKey = deps.keyOf(effect.from);
    if (peerKey === undefined)
      return done({ ok: false, reason: `no birth message of ${effect.from} has been received`, final: false });
    homes.get(item)?.();
    const abandon = transfer.fetch(
      {
        share: outputShare(self, item, epoch),
        urls: effect.urls,
        sha256: effect.sha256,
        peerKey,
        isLarge: effect.isImage,
        directory: workspace.homeDirectory(item, epoch),
        onProgress: () => undefined,
        onUnreached: (reason) => report(item, { type: 'HomeUnreached', epoch, reason }),
      },
      (ended) => done(ended.ok ? { ok: true, value: ended.value.contents } : ended),
    );
    homes.set(item, abandon);
  }

  /** A receiver keeps asking until something arrives: one push in progress is enough. */
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
      if (!carried.ok) return report(item, { type: 'CarryFailed', epoch, reason: carried.reason });
      describeCarried(effect, (ended) => {
        if (!ended.ok) return report(item, { type: 'CarryFailed', epoch, reason: ended.reason });
        bundles.set(bundleKey(item, image), ended.value);
        report(item, { type: 'ItemCarried', epoch, bundle: bundleInfo(ended.value), image });
      });
    });
  }

  /** Uses what is known of the fetched image, as long as this boot of the node has fetched it. */
  function describeCarried(
    { item, epoch, command, image }: Extract<ItemEffect, { type: 'Carry' }>,
    done: (ended: Outcome<Bundle>) => void,
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
          handleBundle(effect.item, false, ended),
        );
      case 'Restage':
        return workspace.restage(effect.item, effect.command, effect.image, (ended) =>
          handleBundle(effect.item, effect.image, ended),
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
          report(
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

/** The image of an item's process is a bundle next to that of its inputs. */
function bundleKey(item: string, image: boolean): string {
  return image ? `${item}/image` : item;
}
