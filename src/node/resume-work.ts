/**
 * Takes up what the last run of this node left: its items go on where they were, its guests are looked for.
 */
import { fromRecord } from '../core/owner/owned-item.js';
import { fromGuestRecord, guestName } from '../core/receiver/guest.js';
import { instantOf } from '../pipelines/ledger.js';
import type { Restored } from './restore.js';
import type { Workbench } from './workbench.js';

/** Feeds the restored items and guests to their state machines. */
export function resumeWork(bench: Workbench, restored: Restored): void {
  const { own, host, inbox, clock, notes } = bench;
  const rolledBack = restored.machineRestarted && !bench.settings.journalSync;
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
