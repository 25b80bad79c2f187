/**
 * Takes up what the last run of this node left: its items go on where they were, its guests are looked for.
 */
import type { KnownByMesh } from '../core/catch-up.js';
import { fromRecord, isSettled } from '../core/owner/owned-item.js';
import { fromGuestRecord, guestName } from '../core/receiver/guest.js';
import { instantOf } from '../pipelines/ledger.js';
import type { Restored } from './restore.js';
import type { Workbench } from './context.js';

/** Feeds the restored items and guests to their state machines. */
export function resumeWork(bench: Workbench, restored: Restored): void {
  const { own, host, inbox, clock, notes } = bench;
  const { known } = bench.settings;
  const rolledBack = known !== undefined || (restored.machineRestarted && !bench.settings.journalSync);
  if (known !== undefined) tellOlder(bench, restored, known);
  for (const key of restored.faults) notes.say('warn', `the journal entry ${key} could not be read and was left alone`);
  bench.throttling.resume(restored.throttles);
  for (const record of restored.items) {
    const id = record.item.item;
    own.ledger.open(id, { state: fromRecord(record, clock.now()), effects: [] });
    inbox.push({ type: 'OwnerFact', item: id, fact: { type: 'NodeRestarted', rolledBack } });
  }
  for (const record of restored.guests) {
    const guest = fromGuestRecord(record, instantOf(clock), host.rules());
    host.ledger.open(guestName(record), { state: guest, effects: [] });
    inbox.push({ type: 'GuestFact', guest: guestName(record), fact: { type: 'NodeRestarted' } });
  }
}

/** Items that this node had, and that its journal does not know: nothing can be done for them but to say so. */
function tellOlder({ notes, speaker, settings }: Workbench, { items }: Restored, known: KnownByMesh): void {
  notes.say(
    'warn',
    'the journal is older than what this node has said before: it was put back from a backup or a snapshot, lost its last ' +
      'writes, or a copy of this node has run; what may have been started since is not started again by itself',
  );
  const here = new Set(items.map((one) => one.item.item));
  for (const [item, status] of known.statuses) {
    if (here.has(item)) continue;
    const where = status.receiver === null ? '' : ` at ${status.receiver}`;
    if (!isSettled(status.phase))
      notes.say('warn', `item ${item} (${status.name}) was ${status.phase}${where} and is not known here any more`);
    speaker.unsay({ kind: 'status', owner: settings.id, item });
  }
}
