/**
 * Answers the request `clean`: removes from the state directory what the node does not know, while the node runs. Only
 * this machine may ask, since the answer lists paths on it.
 */
import type { Swept } from '../transfer/transfer.js';
import { isSettled, itemKey } from '../core/owner/owned-item.js';
import type { NodeInput } from '../pipelines/inputs.js';
import { respond, type Answer } from '../pipelines/requests/respond.js';
import type { NodePorts } from './ports.js';
import type { RecoveredJournal } from './recover-journal.js';
import type { NodeContext } from './context.js';

/** Paths listed in an answer, largest first: it must fit into a message. */
const PATHS_SHOWN_MAX = 100;

/** Creates the function that answers the request if an input is one. */
export function createCleanAnswerer(
  context: NodeContext,
  ports: NodePorts,
  unreadable: RecoveredJournal['faults'],
): (input: NodeInput) => void {
  const { items, guests, settings, inbox } = context;
  const unreadableKeys = new Set(unreadable);
  let isSweeping = false;

  /** With `isEndedOut`, items that have ended count as gone. */
  const isNeeded = (item: string, isEndedOut: boolean): boolean => {
    const known = items.machines.states.get(item);
    return unreadableKeys.has(itemKey(item)) || (known !== undefined && !(isEndedOut && isSettled(known.phase)));
  };
  const needed = {
    item: (item: string) => isNeeded(item, false),
    guest: (name: string) => guests.machines.states.has(name) || unreadableKeys.has(`guest/${name}`),
  };

  /** Retires ended items at once that would be kept for a while. */
  function retireEnded(): void {
    for (const [item, { phase }] of items.machines.states) if (isSettled(phase)) context.retire(item);
  }

  return (input) => {
    if (input.type !== 'RequestHeard' || input.request.verb !== 'clean') return;
    const { verb, transaction, dry_run, ended } = input.request;
    const answer = (given: Answer): void =>
      respond(verb, transaction, given, `request/${verb}`, { self: settings.id, push: inbox.push });
    if (input.signedBy !== settings.id) return answer({ error: `only ${settings.id} itself may request this` });
    if (ports.workspace.sweep === undefined) return answer({ error: 'this node cannot clean its state directory' });
    if (isSweeping) return answer({ error: 'a cleanup is already running; try again when it has finished' });
    if (ended && !dry_run) retireEnded();
    isSweeping = true;
    const wanted = ended && dry_run ? { ...needed, item: (item: string) => isNeeded(item, true) } : needed;
    ports.workspace.sweep(wanted, dry_run, (swept) => {
      isSweeping = false;
      answer(swept.ok ? { data: describeSwept(swept.value) } : { error: swept.reason });
    });
  };
}

function describeSwept({ paths, bytes, kept, left }: Swept): Readonly<Record<string, unknown>> {
  const shown = paths.toSorted((one, other) => other.bytes - one.bytes).slice(0, PATHS_SHOWN_MAX);
  return { bytes, count: paths.length, kept, paths: shown, left: left.slice(0, PATHS_SHOWN_MAX) };
}
