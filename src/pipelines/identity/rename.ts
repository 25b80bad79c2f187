/**
 * The rename stage. From the request on, the node accepts no work, sends its guests away, and leaves once nothing is
 * left that others know by the old id; the process that started it starts it again under the new one. The request must
 * be repeated all the time: when the person who asked goes away, it expires and nothing has changed.
 */
import type { Subscription } from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import type { MemberTable } from '../../core/mesh/member-table.js';
import type { OwnedItem } from '../../core/owner/owned-item.js';
import type { Guest } from '../../core/receiver/guest.js';
import { findNameFault, listUnsettled } from '../../core/identity/rename.js';
import type { Request } from '../../protocol/requests.js';
import type { NodeInput } from '../inputs.js';
import type { Answer } from '../requests/respond.js';

/** What renaming needs. */
export interface RenameDeps {
  readonly self: string;
  readonly key: string;
  readonly clock: Clock;
  readonly members: MemberTable;
  readonly items: ReadonlyMap<string, OwnedItem>;
  readonly guests: ReadonlyMap<string, Guest>;
  /** Nothing would start the node again: it runs inside another program. */
  readonly isFixed: boolean;
  push(input: NodeInput): void;
  /** Whether any decided effect has not been performed yet, or cannot be published for lack of a broker. */
  isBusy(): boolean;
  /** Nothing is left: the node may go. */
  leave(to: string): void;
}

/** The requested rename, and what still stands in its way. */
export interface Rename {
  /** The requested id; `undefined` while there is none. */
  readonly wanted: string | undefined;
  handle(input: NodeInput): void;
  /** Answers a request to rename; `signedBy` is the node that signed it. */
  answer(request: Extract<Request, { verb: 'rename' }>, signedBy: string | undefined): Answer;
  /** Called when the inbox is quiet: leaves if nothing is left. */
  leaveIfDone(): void;
  close(): void;
}

/** A request expires after this long, ms; it is repeated every two seconds. */
const REQUEST_MS = 15_000;
/** How many of the obstacles left an answer names. */
const WAITS_MAX = 16;

/** Creates the stage, with no rename requested. */
export function createRename(deps: RenameDeps): Rename {
  let wanted: string | undefined;
  let hasLeft = false;
  let timer: Subscription | undefined;

  const listLeft = (): ReturnType<typeof listUnsettled> =>
    listUnsettled(deps.items.values(), deps.guests.values(), deps.self);

  const requestRename = (to: string | undefined): void =>
    deps.push({ type: 'RenameWanted', to, isNews: to !== wanted });

  function answer(request: Extract<Request, { verb: 'rename' }>, signedBy: string | undefined): Answer {
    const { to, value } = request;
    if (signedBy !== deps.self)
      return { error: `only ${deps.self} itself may request this: run "tritmesh rename ${to}" there` };
    if (deps.isFixed)
      return { error: 'the node runs inside another program: stop that, then rename the state directory' };
    if (value === 'OFF') {
      requestRename(undefined);
      return { data: { to: deps.self, waits: [], waits_count: 0 } };
    }
    const fault = findNameFault(deps.members, deps.self, deps.key, to, deps.clock.now());
    if (fault !== undefined) return { error: fault };
    requestRename(to);
    const left = listLeft();
    return { data: { to, waits: left.slice(0, WAITS_MAX), waits_count: left.length } };
  }

  function handle(input: NodeInput): void {
    if (input.type !== 'RenameWanted') return;
    timer?.unsubscribe();
    timer = undefined;
    wanted = input.to;
    if (wanted === undefined) return;
    timer = deps.clock.scheduler.schedule(() => requestRename(undefined), REQUEST_MS);
    if (!input.isNews) return;
    for (const [name, guest] of deps.guests) {
      if (guest.owner === deps.self) continue;
      const reason = `${deps.self} is being renamed to ${wanted}`;
      deps.push({ type: 'GuestInput', guest: name, input: { type: 'VacateWanted', reason } });
    }
  }

  return {
    get wanted() {
      return wanted;
    },
    handle,
    answer,
    leaveIfDone: () => {
      if (wanted === undefined || hasLeft || listLeft().length > 0 || deps.isBusy()) return;
      hasLeft = true;
      deps.leave(wanted);
    },
    close: () => timer?.unsubscribe(),
  };
}
