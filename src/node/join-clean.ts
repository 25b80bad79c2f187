/**
 * Answers the request `clean`: what the node does not know is removed from its state directory, while it goes on. Only this
 * machine may ask, since the answer names what lies there.
 */
import type { Swept } from '../transfer/transfer.js';
import { isSettled, itemKey } from '../core/owner/owned-item.js';
import type { NodeInput } from '../pipelines/inputs.js';
import { respond, type Answer } from '../pipelines/respond.js';
import type { NodePorts } from './ports.js';
import type { Restored } from './restore.js';
import type { Workbench } from './context.js';

/** Paths that an answer names, largest first: it must fit a message. */
const PATHS_SHOWN_MAX = 100;

/** Takes the request, when an input is one. */
export function createCleaner(
  bench: Workbench,
  ports: NodePorts,
  unreadable: Restored['faults'],
): (input: NodeInput) => void {
  const { own, host, settings, inbox } = bench;
  const strange = new Set(unreadable);
  let isSweeping = false;

  /** With `isEndedOut` as if those that have ended were gone already. */
  const isNeeded = (item: string, isEndedOut: boolean): boolean => {
    const known = own.ledger.states.get(item);
    return strange.has(itemKey(item)) || (known !== undefined && !(isEndedOut && isSettled(known.phase)));
  };
  const needed = {
    item: (item: string) => isNeeded(item, false),
    guest: (name: string) => host.ledger.states.has(name) || strange.has(`guest/${name}`),
  };

  /** Ended items that are kept for a while go at once. */
  function retireEnded(): void {
    for (const [item, { phase }] of own.ledger.states) if (isSettled(phase)) bench.retire(item);
  }

  return (input) => {
    if (input.type !== 'RequestHeard' || input.request.verb !== 'clean') return;
    const { verb, transaction, dry_run, ended } = input.request;
    const answer = (given: Answer): void =>
      respond(verb, transaction, given, `request/${verb}`, { self: settings.id, push: inbox.push });
    if (input.signedBy !== settings.id) return answer({ error: `only ${settings.id} itself may ask for it` });
    if (ports.workspace.sweep === undefined) return answer({ error: 'nothing can be cleaned here' });
    if (isSweeping) return answer({ error: 'it is cleaning already; ask again when that is over' });
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
