/** The first layer of a node's context: what is known, its clocks, and its streams. It knows no stage. */
import { Subject, takeUntil } from 'rxjs';
import { createMemberTable, type MeshInput } from '../core/mesh/member-table.js';
import { createInbox } from '../pipelines/inbox.js';
import type { NodeInput } from '../pipelines/inputs.js';
import { createBusClock } from '../pipelines/mesh/bus-clock.js';
import { isMeshInput } from '../pipelines/mesh/members.js';
import { createReach } from '../pipelines/mesh/reach.js';
import { createItemLists } from '../pipelines/owner/item-lists.js';
import { createRunningTime } from '../pipelines/owner/running-time.js';
import type { NodeSettings } from '../pipelines/settings.js';
import { instantOf } from '../pipelines/state-machines.js';
import type { SharedContext } from './context.js';
import { createNodeLog } from './node-log.js';
import type { NodePorts } from './ports.js';
import type { RecoveredJournal } from './recover-journal.js';
import type { Leave } from './running-node.js';

/** Creates it; nothing runs yet. */
export function createSharedContext(
  { clock, identity }: Pick<NodePorts, 'clock' | 'identity'>,
  settings: NodeSettings,
  { boot, runningMs }: Pick<RecoveredJournal, 'boot' | 'runningMs'>,
): SharedContext {
  const stopped$ = new Subject<void>();
  const begun$ = new Subject<void>();
  const dirty$ = new Subject<void>();
  const leaves$ = new Subject<Leave>();
  return {
    settings,
    clock,
    inbox: createInbox<NodeInput, MeshInput>(isMeshInput),
    members: createMemberTable(),
    ownedItems: new Map(),
    itemLists: createItemLists(),
    heldGuests: new Map(),
    openOffers: new Map(),
    log: createNodeLog(),
    reach: createReach(settings.id, settings.mesh),
    busClock: createBusClock(clock),
    running: createRunningTime(clock, runningMs),
    birth: { ...settings.info, key: identity.publicKey, v: 1, ts: instantOf(clock).ts, boot, seq: 0 },
    dirty$,
    markDirty: () => dirty$.next(),
    leaves$,
    leave: (leave) => leaves$.next(leave),
    live: (source$) => source$.pipe(takeUntil(stopped$)),
    begin: () => begun$.next(),
    begun$,
    end: () => stopped$.next(),
  };
}
