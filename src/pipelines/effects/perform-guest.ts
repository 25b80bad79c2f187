/**
 * Performs a receiver's effects for its guests: fetches inputs, starts and stops runs, collects and shares outputs. It
 * decides nothing: each outcome goes back as an input.
 */
import type { GuestEffect } from '../../core/effects.js';
import type { SaveRequest } from '../../run/runner.js';
import type { Bundle, Share } from '../../transfer/transfer.js';
import type { NodeInput } from '../inputs.js';
import { bundleInfo, inputShare, outputShare, type EffectPerformer, type PerformContext } from './perform-context.js';
import { splitGuest } from '../../core/receiver/guest-name.js';

/** Creates the performer of guest effects. */
export function createGuestPerformer(deps: PerformContext): EffectPerformer<GuestEffect> {
  const { workspace, transfer, runner } = deps;
  const fetches = new Map<string, () => void>();
  const pushes = new Map<string, () => void>();
  /** Guests whose freeze waits until their throttle has been lifted. */
  const freezes = new Set<string>();
  /** Outputs for owners whose key is not known yet, after a restart. */
  const early = new Map<string, Omit<Share, 'peerKey'> & { readonly owner: string }>();
  type GuestEvent = Extract<NodeInput, { type: 'GuestInput' }>['input'];
  const report = (guest: string, input: GuestEvent): void => deps.push({ type: 'GuestInput', guest, input });

  function fetchInputs(effect: Extract<GuestEffect, { type: 'FetchInputs' }>): void {
    const { guest } = effect;
    const { owner, item, epoch } = splitGuest(guest);
    const peerKey = deps.keyOf(owner);
    if (peerKey === undefined)
      return report(guest, { type: 'FetchFailed', reason: `no birth message of ${owner} has been received` });
    const abandon = transfer.fetch(
      {
        share: inputShare(owner, item, epoch),
        urls: effect.urls,
        sha256: effect.sha256,
        peerKey,
        isLarge: effect.image,
        directory: `${workspace.guestDirectory(owner, item, epoch)}${effect.image ? '' : '/work'}`,
        onProgress: (bytes, total) => report(guest, { type: 'FetchAdvanced', bytes, total }),
        onUnreached: () => report(guest, { type: 'FetchUnreached' }),
      },
      (ended) => {
        fetches.delete(guest);
        report(
          guest,
          ended.ok
            ? { type: 'InputsFetched', command: ended.value.command }
            : { type: 'FetchFailed', reason: ended.reason, lacksSpace: ended.lacksSpace },
        );
      },
    );
    fetches.set(guest, abandon);
  }

  function start(effect: Extract<GuestEffect, { type: 'StartRun' }>): void {
    const { guest, command } = effect;
    const now = deps.clock.now();
    if (now >= effect.leaseEndsAt) {
      return report(guest, { type: 'RunFailed', reason: 'its lease ended before it could be started' });
    }
    const guardMs = effect.guardAt - now;
    const { owner, item, epoch } = splitGuest(guest);
    runner.start({
      run: guest,
      directory: workspace.guestDirectory(owner, item, epoch),
      command,
      environment: {
        TRITMESH_ITEM: item,
        TRITMESH_OWNER: owner,
        TRITMESH_EPOCH: String(epoch),
        TRITMESH_NODE: deps.self,
      },
      guardMs,
      ...(effect.image ? { restore: true } : {}),
    });
  }

  function take(effect: Extract<GuestEffect, { type: 'AdoptExternal' }>): void {
    const { owner, item, epoch } = splitGuest(effect.guest);
    runner.take(effect.guest, workspace.guestDirectory(owner, item, epoch), effect.process);
  }

  /** The journal may have delayed the effect: a run whose lease has ended since is stopped instead of thawed. */
  function thaw(effect: Extract<GuestEffect, { type: 'ThawRun' }>): void {
    if (deps.clock.now() < effect.leaseEndsAt) runner.thaw(effect.guest);
    else runner.stop(effect.guest, 0);
  }

  function collect(effect: Extract<GuestEffect, { type: 'Collect' }>): void {
    const { guest } = effect;
    const { owner, item, epoch } = splitGuest(guest);
    const directory = workspace.guestDirectory(owner, item, epoch);
    workspace.collect(directory, effect.globs, effect.everything, (ended) => {
      if (!ended.ok) return report(guest, { type: 'CollectFailed', reason: ended.reason, final: ended.final });
      if (ended.value.count > 0 && owner !== deps.self) {
        shareOutputs({ share: outputShare(owner, item, epoch), bundle: ended.value, owner });
      }
      seal(effect, ended.value, (sealed) =>
        report(guest, {
          type: 'Collected',
          bundle: { ...bundleInfo(ended.value), ...(sealed === undefined ? {} : { sealed }) },
        }),
      );
    });
  }

  /** Outputs that cannot be sealed are left for the owner to fetch. */
  function seal(
    { guest, sealKey }: Extract<GuestEffect, { type: 'Collect' }>,
    bundle: Bundle,
    done: (sealed: string | undefined) => void,
  ): void {
    const { owner, item, epoch } = splitGuest(guest);
    if (sealKey === undefined || bundle.count === 0 || owner === deps.self) return done(undefined);
    transfer.seal(outputShare(owner, item, epoch), bundle, sealKey, (ended) =>
      done(ended.ok ? ended.value : undefined),
    );
  }

  function shareOutputs(waiting: Omit<Share, 'peerKey'> & { readonly owner: string }): void {
    const { share, bundle, owner } = waiting;
    const peerKey = deps.keyOf(owner);
    if (peerKey === undefined) early.set(share, waiting);
    else transfer.share({ share, bundle, peerKey });
  }

  function pushOutputs({ guest, urls }: Extract<GuestEffect, { type: 'PushOutputs' }>): void {
    const { owner, item, epoch } = splitGuest(guest);
    const abandon = transfer.push(outputShare(owner, item, epoch), urls, (ended) => {
      pushes.delete(guest);
      report(guest, { type: 'PushEnded', fault: ended.ok ? undefined : ended.reason });
    });
    pushes.set(guest, abandon);
  }

  function remove({ guest, files, kept }: Extract<GuestEffect, { type: 'RemoveGuest' }>): void {
    const { owner, item, epoch } = splitGuest(guest);
    fetches.get(guest)?.();
    fetches.delete(guest);
    pushes.get(guest)?.();
    pushes.delete(guest);
    early.delete(outputShare(owner, item, epoch));
    transfer.unshare(outputShare(owner, item, epoch));
    if (files) workspace.removeGuest(owner, item, epoch);
    else if (kept === true)
      workspace.keepGuest?.(owner, item, epoch, (ended) => {
        if (!ended.ok) deps.push({ type: 'KeepFailed', guest, reason: ended.reason });
      });
  }

  /** A throttle would be saved in the image, and a duty cycle would continue the stopped original. */
  function freeze(guest: string): void {
    freezes.add(guest);
    const done = (): void => {
      if (!freezes.delete(guest)) return;
      const { owner, item, epoch } = splitGuest(guest);
      workspace.follow?.(workspace.guestDirectory(owner, item, epoch));
      runner.freeze(guest);
    };
    deps.push({ type: 'ThrottleLiftWanted', guest, reason: 'it is frozen', done });
  }

  const perform = (effect: GuestEffect): void => {
    // A later effect replaces a freeze that still waits for its throttle.
    if (ENDS_FREEZE.has(effect.type)) freezes.delete(effect.guest);
    switch (effect.type) {
      case 'FetchInputs':
        return fetchInputs(effect);
      case 'StartRun':
        return start(effect);
      case 'AdoptRun': {
        const { owner, item, epoch } = splitGuest(effect.guest);
        return runner.adopt(effect.guest, workspace.guestDirectory(owner, item, epoch), effect.handle);
      }
      case 'AdoptExternal':
        return take(effect);
      case 'FreezeRun':
        return freeze(effect.guest);
      case 'ThawRun':
        return thaw(effect);
      case 'ExtendRun':
        return runner.extend(effect.guest, Math.max(0, effect.guardAt - deps.clock.now()));
      case 'StopRun':
        return runner.stop(effect.guest, effect.graceMs, effect.asks ? SAVE : undefined);
      case 'Collect':
        return collect(effect);
      case 'PushOutputs':
        return pushOutputs(effect);
      case 'RemoveGuest':
        return remove(effect);
    }
  };

  const release = (node: string): void => {
    for (const waiting of [...early.values()].filter((one) => one.owner === node)) {
      early.delete(waiting.share);
      shareOutputs(waiting);
    }
  };
  return { perform, release };
}

/** How a cooperative program is asked to save, and how long that may take. */
const SAVE: SaveRequest = { signal: 'SIGUSR1', saveMs: 30_000 };

const ENDS_FREEZE: ReadonlySet<GuestEffect['type']> = new Set(['ThawRun', 'StopRun', 'RemoveGuest']);
