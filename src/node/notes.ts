/**
 * The notes of a node: the few things worth a line in a log, as they happen. A lasting trouble is noted once.
 */
import { ReplaySubject, type Observable } from 'rxjs';
import type { OwnedItem } from '../core/owner/owned-item.js';
import type { NodeInput } from '../pipelines/inputs.js';
import type { NodeNote } from './ports.js';

/** Collects notes. */
export interface Notes {
  readonly notes$: Observable<NodeNote>;
  say(level: NodeNote['level'], text: string): void;
  take(input: NodeInput): void;
  itemChanged(before: OwnedItem | undefined, after: OwnedItem | undefined): void;
  close(): void;
}

/** Notes kept for one who listens late. */
const EARLY_NOTES_MAX = 100;

/** Makes an empty collection. */
export function createNotes(): Notes {
  // Whoever logs begins to listen only once the node runs: what was noted until then is not lost.
  const notes$ = new ReplaySubject<NodeNote>(EARLY_NOTES_MAX);
  const say = (level: NodeNote['level'], text: string): void => notes$.next({ level, text });
  return {
    notes$,
    say,
    take: (input) => {
      const note = describeInput(input);
      if (note !== undefined) notes$.next(note);
    },
    itemChanged: (_before, after) => {
      if (after !== undefined) say('info', describeItem(after));
    },
    close: () => notes$.complete(),
  };
}

function describeInput(input: NodeInput): NodeNote | undefined {
  switch (input.type) {
    case 'LinkChanged':
      // The state before the first attempt is no news.
      if (input.reason === 'not connected yet') return undefined;
      return input.online
        ? { level: 'info', text: 'connected to the broker' }
        : { level: 'warn', text: `not connected to the broker: ${input.reason}; trying again` };
    case 'SenseFailed':
      return { level: 'warn', text: `the load cannot be sensed: ${input.fault}` };
    case 'MessageRefused':
      return { level: 'debug', text: `refused a message on ${input.topic}: ${input.reason}` };
    case 'RequestRefused':
      return { level: 'info', text: `refused a request ${input.verb}: ${input.reason}` };
    case 'RivalHeard':
      return {
        level: 'error',
        text: `another node, on ${input.host}, says to be this one: give one of them another --id`,
      };
    case 'JournalChanged':
      return input.fault === undefined
        ? { level: 'info', text: 'the journal can be written again' }
        : { level: 'error', text: `the journal cannot be written: ${input.fault}; nothing new is taken on` };
    case 'ClaimChosen':
      return {
        level: 'info',
        text: `claimed ${input.claim.standing.item} of ${input.claim.standing.owner}, rank ${input.claim.rank}`,
      };
    default:
      return undefined;
  }
}

function describeItem(item: OwnedItem): string {
  const where = item.receiver === null ? '' : ` at ${item.receiver}`;
  const why = item.reason === '' ? '' : `: ${item.reason}`;
  return `item ${item.item.item} (${item.item.name}) ${item.phase}${where}${why}`;
}
