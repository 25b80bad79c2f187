/** Takes over what the last boot of this node left: its items continue where they were, its guests are looked for. */
import type { KnownByMesh } from '../core/identity/catch-up.js';
import { fromRecord, isSettled } from '../core/owner/owned-item.js';
import { fromGuestRecord } from '../core/receiver/guest.js';
import { guestName } from '../core/receiver/guest-name.js';
import { instantOf } from '../pipelines/state-machines.js';
import type { RecoveredJournal } from './recover-journal.js';
import type { NodeContext } from './context.js';

/** Feeds the recovered items and guests to their state machines. */
export function replayJournal(context: NodeContext, recovered: RecoveredJournal): void {
  const { items, guests, inbox, clock, log } = context;
  const { known } = context.settings;
  const rolledBack = known !== undefined || (recovered.machineRestarted && !context.settings.journalSync);
  if (known !== undefined) reportOlder(context, recovered, known);
  for (const key of recovered.faults) log.log('warn', `the journal entry ${key} cannot be read and is left as it is`);
  context.throttling.resume(recovered.throttles);
  for (const record of recovered.items) {
    const id = record.spec.id;
    items.machines.open(id, { state: fromRecord(record, clock.now()), effects: [] });
    inbox.push({ type: 'ItemInput', item: id, input: { type: 'NodeRestarted', rolledBack } });
  }
  for (const record of recovered.guests) {
    const guest = fromGuestRecord(record, instantOf(clock), guests.rules());
    guests.machines.open(guestName(record), { state: guest, effects: [] });
    inbox.push({ type: 'GuestInput', guest: guestName(record), input: { type: 'NodeRestarted' } });
  }
}

/** Items that this node had and that its journal does not know: all it can do is report them. */
function reportOlder({ log, publisher, settings }: NodeContext, { items }: RecoveredJournal, known: KnownByMesh): void {
  log.log(
    'warn',
    'the journal is older than what this node has published before: it was restored from a backup or a snapshot, lost its ' +
      'last writes, or a copy of this node has run; what may have been started since is not started again automatically',
  );
  const here = new Set(items.map((one) => one.spec.id));
  for (const [item, status] of known.statuses) {
    if (here.has(item)) continue;
    const where = status.receiver === null ? '' : ` at ${status.receiver}`;
    if (!isSettled(status.phase))
      log.log('warn', `item ${item} (${status.name}) was ${status.phase}${where} and is no longer known here`);
    publisher.clearRetained({ kind: 'status', owner: settings.id, item });
  }
}
