/**
 * Creates the context of a node, layer by layer: what is shared, what performs, what the node knows of itself, its
 * work. It wires no stage to a stream, and no layer uses a later one: where a stage needs something of a later one, it
 * pushes an input.
 */
import { share, tap } from 'rxjs';
import { itemKey } from '../core/owner/owned-item.js';
import { isPartner } from '../core/identity/partners.js';
import { findAckObstacle } from '../core/receiver/policy.js';
import { createEffectQueue } from '../pipelines/effects/effect-queue.js';
import { createPerformer } from '../pipelines/effects/perform.js';
import { createStatusBoard } from '../pipelines/effects/publish-status.js';
import { createPublisher } from '../pipelines/effects/publisher.js';
import { createJournalMark } from '../pipelines/identity/journal-mark.js';
import { createRename } from '../pipelines/identity/rename.js';
import { createNodeState } from '../pipelines/load/node-state.js';
import { createKeyPins } from '../pipelines/mesh/key-pins.js';
import { mirrorBus } from '../pipelines/mesh/mirror.js';
import { createItems } from '../pipelines/owner/items.js';
import { createMoveHistory } from '../pipelines/owner/move-history.js';
import { createRetiredIds, RETIRED_PREFIX } from '../pipelines/owner/retired-ids.js';
import { createGuests } from '../pipelines/receiver/guests.js';
import type { NodeSettings } from '../pipelines/settings.js';
import type { EffectsContext, NodeContext, SelfContext, SharedContext, WorkContext } from './context.js';
import { createGuestIndex } from './guest-index.js';
import type { NodePorts } from './ports.js';
import { MARK_KEY, type RecoveredJournal } from './recover-journal.js';
import { createSharedContext } from './shared-context.js';
import { wireThrottling } from './wire-throttling.js';
import { wireTwins } from './wire-twins.js';

/** Renewal numbers reserved for one boot of a node; those of the next boot are higher. */
const RENEWALS_A_BOOT = 1_000_000;

/** Creates all layers. */
export function createContext(ports: NodePorts, settings: NodeSettings, recovered: RecoveredJournal): NodeContext {
  const shared = createSharedContext(ports, settings, recovered);
  const effects = createEffectsContext(shared, ports, recovered);
  const self = createSelfContext(shared, effects, ports, recovered);
  const work = createWorkContext(shared, effects, self, ports, recovered);
  const { inbox, log } = shared;
  const { statuses, effectQueue, retired } = effects;
  const { items, guests, moves, renaming } = work;

  return {
    ...shared,
    ...effects,
    ...self,
    ...work,
    settled$: shared.live(inbox.quiet$).pipe(
      tap(() => self.nodeState.keepFresh()),
      share(),
    ),
    retire: (item) => {
      items.machines.drop(item);
      // First: whatever ran must always be known, as an item or as a retired id.
      retired.add(item);
      effectQueue.enqueue(`item/${item}`, [
        { type: 'RemoveItem', item, all: true },
        { type: 'Persist', key: itemKey(item), value: undefined },
      ]);
    },
    stop: () => {
      shared.end();
      const closables = [
        items.machines,
        guests.machines,
        self.throttling,
        moves,
        statuses,
        renaming,
        effectQueue,
        inbox,
      ];
      for (const one of closables) one.close();
      log.close();
    },
  };
}

function createEffectsContext(shared: SharedContext, ports: NodePorts, recovered: RecoveredJournal): EffectsContext {
  const { settings, clock, inbox, members, ownedItems, heldGuests, running } = shared;
  const { journal, identity, runner, transfer, workspace, throttle, direct } = ports;
  const { id: self, base } = settings;
  const { push } = inbox;
  const { boot } = recovered;
  const pins = createKeyPins(
    members,
    clock,
    recovered.pins,
    (node, key) => push({ type: 'KeyPinned', node, key }),
    (node) => isPartner(node, ownedItems.values(), heldGuests.values()),
  );
  // The table only has members that were heard in this boot; a pin outlives it and holds the same key.
  const keyOf = (node: string): string | undefined =>
    node === self ? identity.publicKey : (members.get(node)?.info?.key ?? pins.keyOf(node));
  const bus = mirrorBus(ports.bus, ports.door);
  const publisher = createPublisher({ self, base, boot, bus, clock, identity, direct, keyOf, push });
  const statuses = createStatusBoard(self, publisher, clock, settings.statusKeptMs);
  const performer = createPerformer({
    self,
    clock,
    publisher,
    statuses,
    transfer,
    workspace,
    runner,
    throttle,
    keyOf,
    push,
  });
  const effectQueue = createEffectQueue({
    journal,
    clock,
    perform: performer.perform,
    onFault: (fault) => push({ type: 'JournalChanged', fault }),
  });
  const { enqueue, after } = effectQueue;
  const persistRetired = (item: string, until: number | undefined): void =>
    enqueue(`item/${item}`, [{ type: 'Persist', key: `${RETIRED_PREFIX}${item}`, value: until }]);
  return {
    pins,
    keyOf,
    publisher,
    ownPublishing: { boot, lastBoot: recovered.lastBoot, knownBoot: settings.known?.boot ?? 0, seq: publisher.seq },
    statuses,
    performer,
    effectQueue,
    journalMark: createJournalMark({ key: MARK_KEY, last: recovered.mark, enqueue, after }),
    retired: createRetiredIds({ running, restored: recovered.retired, persist: persistRetired }),
  };
}

function createSelfContext(
  shared: SharedContext,
  effects: EffectsContext,
  { identity, runner, throttle }: NodePorts,
  recovered: RecoveredJournal,
): SelfContext {
  const { settings, clock, inbox, members, ownedItems, itemLists, heldGuests, log, birth, leave } = shared;
  const guestIndex = createGuestIndex(heldGuests, runner, () => settings.info.memory_bytes);
  const throttling = wireThrottling({
    settings,
    clock,
    throttle,
    items: ownedItems,
    guests: heldGuests,
    guestIndex,
    effectQueue: effects.effectQueue,
    push: inbox.push,
  });
  const twins = wireTwins(settings, recovered.boot, { key: identity.publicKey, clock, log, leave });
  const nodeState = createNodeState(
    {
      settings,
      clock,
      members,
      info: birth,
      guests: () => heldGuests.values(),
      counts: () => ({
        queued: itemLists.queued.size + itemLists.offered.size,
        deferred: itemLists.sleeping.size,
      }),
      guestOfPid: guestIndex.describePid,
      guestCpuPercent: guestIndex.cpuPercent,
      reasons: throttling,
      copy: twins.copy,
    },
    recovered.draining,
  );
  return { guestIndex, throttling, twins, nodeState };
}

function createWorkContext(
  shared: SharedContext,
  { effectQueue }: EffectsContext,
  { nodeState }: SelfContext,
  { identity, transfer }: NodePorts,
  recovered: RecoveredJournal,
): WorkContext {
  const { settings, clock, inbox, members, ownedItems, itemLists, heldGuests, log, reach, busClock } = shared;
  const { id: self } = settings;
  const { push } = inbox;
  const moves = createMoveHistory({ self, clock, members, items: ownedItems, push });
  const items = createItems({
    clock,
    states: ownedItems,
    lists: itemLists,
    unreadable: new Set(recovered.faults),
    isOlder: settings.known !== undefined,
    rules: () => ({
      ...settings.owner,
      self,
      urls: transfer.urls(),
      sealKey: transfer.sealKey,
      runningMs: shared.running(),
      isAlone: reach.isAlone,
      bus: busClock.read(),
    }),
    perform: effectQueue.enqueue,
    changed: (before, after) => {
      nodeState.invalidate();
      moves.itemChanged(before, after);
      log.itemChanged(before, after);
      if (before?.phase !== after?.phase) shared.markDirty();
    },
  });
  const guests = createGuests({
    clock,
    states: heldGuests,
    rules: () => ({
      ...settings.receiver,
      self,
      urls: transfer.urls(),
      renewalBase: recovered.boot * RENEWALS_A_BOOT,
      isAlone: reach.isAlone,
    }),
    mesh: reach.rules,
    state: nodeState.state,
    obstacle: (owner, guest) => findAckObstacle(nodeState.acceptance(), owner) ?? nodeState.findSpaceLack(guest),
    perform: effectQueue.enqueue,
    changed: (before, after) => {
      nodeState.invalidate();
      if (before?.phase !== after?.phase) shared.markDirty();
    },
  });
  const renaming = createRename({
    self,
    key: identity.publicKey,
    clock,
    members,
    items: ownedItems,
    guests: heldGuests,
    isFixed: settings.renames !== true,
    isBusy: effectQueue.isBusy,
    push,
    leave: (to) => shared.leave({ why: 'renamed', to }),
  });
  return { moves, items, guests, renaming };
}
