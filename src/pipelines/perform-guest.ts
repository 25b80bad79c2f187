/**
 * Performs what a receiver wants done for its guests: inputs are fetched, commands run and stopped, outputs described.
 */
import type { GuestEffect } from '../core/effects.js';
import type { SaveRequest } from '../run/runner.js';
import type { Bundle, Share } from '../transfer/transfer.js';
import type { NodeInput } from './inputs.js';
import { factsOf, inputShare, outputShare, splitGuest, type Part, type PerformParts } from './perform-parts.js';

/** Makes the part that serves guests. */
export function createGuestPerformer(parts: PerformParts): Part<GuestEffect> {
  const { workspace, transfer, runner } = parts;
  const fetches = new Map<string, () => void>();
  const pushes = new Map<string, () => void>();
  /** Guests whose freeze waits until their throttle is lifted. */
  const freezes = new Set<string>();
  /** Outputs of owners whose key is not known yet, after a restart. */
  const early = new Map<string, Omit<Share, 'peerKey'> & { readonly owner: string }>();
  type GuestFact = Extract<NodeInput, { type: 'GuestFact' }>['fact'];
  const tell = (guest: string, fact: GuestFact): void => parts.push({ type: 'GuestFact', guest, fact });

  function fetchInputs(effect: Extract<GuestEffect, { type: 'FetchInputs' }>): void {
    const { guest } = effect;
    const { owner, item, epoch } = splitGuest(guest);
    const peerKey = parts.keyOf(owner);
    if (peerKey === undefined)
      return tell(guest, { type: 'FetchFailed', reason: `the birth of ${owner} was not heard` });
    const abandon = transfer.fetch(
      {
        share: inputShare(owner, item, epoch),
        urls: effect.urls,
        sha256: effect.sha256,
        peerKey,
        directory: `${workspace.guestDirectory(owner, item, epoch)}${effect.image ? '' : '/work'}`,
        onProgress: (bytes, total) => tell(guest, { type: 'FetchAdvanced', bytes, total }),
        onUnreached: () => tell(guest, { type: 'FetchUnreached' }),
      },
      (ended) => {
        fetches.delete(guest);
        tell(
          guest,
          ended.ok
            ? { type: 'InputsFetched', command: ended.value.command }
            : { type: 'FetchFailed', reason: ended.reason, lacksRoom: ended.lacksRoom },
        );
      },
    );
    fetches.set(guest, abandon);
  }

  function start(effect: Extract<GuestEffect, { type: 'StartRun' }>): void {
    const { guest, command } = effect;
    const now = parts.clock.now();
    if (now >= effect.leaseEndsAt) {
      return tell(guest, { type: 'RunFailed', reason: 'its lease ended before it could be started' });
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
        TRITMESH_NODE: parts.self,
      },
      guardMs,
      ...(effect.image ? { restore: true } : {}),
    });
  }

  function take(effect: Extract<GuestEffect, { type: 'TakeRun' }>): void {
    const { owner, item, epoch } = splitGuest(effect.guest);
    runner.take(effect.guest, workspace.guestDirectory(owner, item, epoch), effect.process);
  }

  /** The journal may have kept the effect waiting: what has no lease any more is ended and not let go. */
  function thaw(effect: Extract<GuestEffect, { type: 'ThawRun' }>): void {
    if (parts.clock.now() < effect.leaseEndsAt) runner.thaw(effect.guest);
    else runner.stop(effect.guest, 0);
  }

  function collect(effect: Extract<GuestEffect, { type: 'Collect' }>): void {
    const { guest } = effect;
    const { owner, item, epoch } = splitGuest(guest);
    const directory = workspace.guestDirectory(owner, item, epoch);
    workspace.collect(directory, effect.globs, effect.everything, (ended) => {
      if (!ended.ok) return tell(guest, { type: 'CollectFailed', reason: ended.reason, final: ended.final });
      if (ended.value.count > 0 && owner !== parts.self) {
        shareOutputs({ share: outputShare(owner, item, epoch), bundle: ended.value, owner });
      }
      seal(effect, ended.value, (sealed) =>
        tell(guest, {
          type: 'Collected',
          bundle: { ...factsOf(ended.value), ...(sealed === undefined ? {} : { sealed }) },
        }),
      );
    });
  }

  /** What cannot be sealed is fetched. */
  function seal(
    { guest, sealKey }: Extract<GuestEffect, { type: 'Collect' }>,
    bundle: Bundle,
    done: (sealed: string | undefined) => void,
  ): void {
    const { owner, item, epoch } = splitGuest(guest);
    if (sealKey === undefined || bundle.count === 0 || owner === parts.self) return done(undefined);
    transfer.seal(outputShare(owner, item, epoch), bundle, sealKey, (ended) =>
      done(ended.ok ? ended.value : undefined),
    );
  }

  function shareOutputs(waiting: Omit<Share, 'peerKey'> & { readonly owner: string }): void {
    const { share, bundle, owner } = waiting;
    const peerKey = parts.keyOf(owner);
    if (peerKey === undefined) early.set(share, waiting);
    else transfer.share({ share, bundle, peerKey });
  }

  function pushOutputs({ guest, urls }: Extract<GuestEffect, { type: 'PushOutputs' }>): void {
    const { owner, item, epoch } = splitGuest(guest);
    const abandon = transfer.push(outputShare(owner, item, epoch), urls, (ended) => {
      pushes.delete(guest);
      tell(guest, { type: 'PushEnded', fault: ended.ok ? undefined : ended.reason });
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
    else if (kept === true) workspace.keepGuest?.(owner, item, epoch);
  }

  /** A throttle would come along with the image, and a duty cycle would continue the stopped original. */
  function freeze(guest: string): void {
    freezes.add(guest);
    parts.lift(guest, () => freezes.delete(guest) && runner.freeze(guest));
  }

  const perform = (effect: GuestEffect): void => {
    // What comes after a freeze that still waits for its throttle takes its place.
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
      case 'TakeRun':
        return take(effect);
      case 'FreezeRun':
        return freeze(effect.guest);
      case 'ThawRun':
        return thaw(effect);
      case 'ExtendRun':
        return runner.extend(effect.guest, Math.max(0, effect.guardAt - parts.clock.now()));
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

/** How a cooperative program is asked to save, and how long it may take. */
const SAVE: SaveRequest = { signal: 'SIGUSR1', saveMs: 30_000 };

const ENDS_FREEZE: ReadonlySet<GuestEffect['type']> = new Set(['ThawRun', 'StopRun', 'RemoveGuest']);
