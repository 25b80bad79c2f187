/**
 * The rename stage: somebody wants this node to go by another id. From then on it takes nothing, sends its guests away, and leaves
 * once nothing is left that others know by the old id; whoever started it starts it again under the new one. The wish must be
 * said again all the time: when the person who asked goes away, everything is as it was.
 */
import type { Subscription } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import type { MeshView } from '../core/mesh.js';
import type { OwnedItem } from '../core/owner/owned-item.js';
import type { Guest } from '../core/receiver/guest.js';
import { findNameFault, listUnsettled } from '../core/renaming.js';
import type { Request } from '../protocol/requests.js';
import type { NodeInput } from './inputs.js';
import type { Answer } from './respond.js';

/** What renaming needs. */
export interface RenameParts {
  readonly self: string;
  readonly key: string;
  readonly clock: Clock;
  readonly view: MeshView;
  readonly items: ReadonlyMap<string, OwnedItem>;
  readonly guests: ReadonlyMap<string, Guest>;
  /** Nobody would start it again: it runs within another program. */
  readonly isFixed: boolean;
  push(input: NodeInput): void;
  /** Whether something that was decided is not done yet, or cannot be said: no broker. */
  isBusy(): boolean;
  /** Nothing is left: the node may go. */
  leave(to: string): void;
}

/** A wish and what stands in its way. */
export interface Renaming {
  /** The id that is wanted; `undefined` while none is. */
  readonly wanted: string | undefined;
  take(input: NodeInput): void;
  /** Answers a request to rename; `signedBy` is who signed it. */
  answer(request: Extract<Request, { verb: 'rename' }>, signedBy: string | undefined): Answer;
  /** The inbox is quiet: leaves if nothing is left. */
  look(): void;
  close(): void;
}

/** A wish stands so long, ms; it is said again every two seconds. */
const WISH_MS = 15_000;
/** What is told of what is left. */
const TOLD_MAX = 16;

/** Makes the stage: nothing is wanted yet. */
export function createRenaming(parts: RenameParts): Renaming {
  let wanted: string | undefined;
  let hasLeft = false;
  let timer: Subscription | undefined;

  const listLeft = (): ReturnType<typeof listUnsettled> =>
    listUnsettled(parts.items.values(), parts.guests.values(), parts.self);

  const want = (to: string | undefined): void => parts.push({ type: 'RenameWanted', to, isNews: to !== wanted });

  function answer(request: Extract<Request, { verb: 'rename' }>, signedBy: string | undefined): Answer {
    const { to, value } = request;
    if (signedBy !== parts.self)
      return { error: `only ${parts.self} itself may ask for it: run "tritmesh rename ${to}" there` };
    if (parts.isFixed) return { error: 'it runs within another program: stop that, then rename the state directory' };
    if (value === 'OFF') {
      want(undefined);
      return { data: { to: parts.self, waits: [], waits_count: 0 } };
    }
    const fault = findNameFault(parts.view, parts.self, parts.key, to, parts.clock.now());
    if (fault !== undefined) return { error: fault };
    want(to);
    const left = listLeft();
    return { data: { to, waits: left.slice(0, TOLD_MAX), waits_count: left.length } };
  }

  function take(input: NodeInput): void {
    if (input.type !== 'RenameWanted') return;
    timer?.unsubscribe();
    timer = undefined;
    wanted = input.to;
    if (wanted === undefined) return;
    timer = parts.clock.scheduler.schedule(() => want(undefined), WISH_MS);
    if (!input.isNews) return;
    for (const [name, guest] of parts.guests) {
      if (guest.owner === parts.self) continue;
      const reason = `${parts.self} is being renamed to ${wanted}`;
      parts.push({ type: 'GuestFact', guest: name, fact: { type: 'VacateWanted', reason } });
    }
  }

  return {
    get wanted() {
      return wanted;
    },
    take,
    answer,
    look: () => {
      if (wanted === undefined || hasLeft || listLeft().length > 0 || parts.isBusy()) return;
      hasLeft = true;
      parts.leave(wanted);
    },
    close: () => timer?.unsubscribe(),
  };
}
