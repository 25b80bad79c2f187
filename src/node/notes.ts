/**
 * The notes of a node: the few things worth a line in a log, as they happen. A lasting trouble is noted once.
 */
import { ReplaySubject, type Observable } from 'rxjs';
import { describeDiskChange, type DiskState } from '../core/disk-room.js';
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
  /** Kinds of topics that the broker refused. */
  const refused = new Set<string>();
  const isNewKind = (topic: string): boolean => {
    const kind = topic
      .split('/')
      .filter((level) => KINDS.has(level))
      .join('/');
    const isNew = !refused.has(kind);
    refused.add(kind);
    return isNew;
  };
  const say = (level: NodeNote['level'], text: string): void => notes$.next({ level, text });
  return {
    notes$,
    say,
    take: (input) => {
      if (input.type === 'PublishRefused' && !isNewKind(input.topic)) return;
      if (input.type === 'LoopbackChanged' && input.works) refused.clear();
      // The broker itself has said it, and better.
      else if (input.type === 'LoopbackChanged' && refused.size > 0) return;
      const note = describeInput(input);
      if (note !== undefined) notes$.next(note);
    },
    itemChanged: (_before, after) => {
      if (after !== undefined) say('info', describeItem(after));
    },
    close: () => notes$.complete(),
  };
}

/** What to do about a broker's access list. */
const USER_ADVICE =
  'give the node the user of its own name (--username), or let its user write what "What an ACL must allow" in docs/PROTOCOL.md lists';

/** Kinds of topics: what stands between them are ids. */
const KINDS: ReadonlySet<string> = new Set(
  'node work mesh availability trit state scum info event request response offer ack lease claim progress result log status'.split(
    ' ',
  ),
);

function describeInput(input: NodeInput): NodeNote | undefined {
  switch (input.type) {
    case 'LinkChanged':
      // The state before the first attempt is no news.
      if (input.reason === 'not connected yet') return undefined;
      return input.online
        ? { level: 'info', text: 'connected to the broker' }
        : {
            level: 'warn',
            text: `not connected to the broker: ${input.reason}; trying again${/refused the user name/.test(input.reason) ? ` (a node logs in as the user of its own name)` : ''}`,
          };
    case 'PublishRefused':
      return { level: 'error', text: `the broker refuses ${input.topic}: ${input.reason}; ${USER_ADVICE}` };
    case 'LoopbackChanged':
      return input.works
        ? { level: 'info', text: 'what this node publishes is seen on the bus again' }
        : {
            level: 'error',
            text: `${input.topic} was published and does not come back: the broker drops it without a word, or this user may not read it; nobody sees this node; ${USER_ADVICE}`,
          };
    case 'SenseFailed':
      return { level: 'warn', text: `${SENSES[input.sense]}: ${input.fault}` };
    case 'DiskMeasured':
      return input.changed ? describeDisk(input.disk) : undefined;
    case 'MessageRefused':
      return { level: 'debug', text: `refused a message on ${input.topic}: ${input.reason}` };
    case 'RequestRefused':
      return { level: 'info', text: `refused a request ${input.verb}: ${input.reason}` };
    case 'RivalHeard':
      return {
        level: 'error',
        text: `another node, on ${input.host}, says to be this one: give one of them another --id`,
      };
    case 'RenameWanted':
      if (!input.isNews) return undefined;
      return {
        level: 'info',
        text:
          input.to === undefined
            ? 'it keeps its id, and takes work again'
            : `it is to be renamed to ${input.to}: nothing new is taken, and what runs here ends or leaves first`,
      };
    case 'JournalChanged':
      return input.fault === undefined
        ? { level: 'info', text: 'the journal can be written again' }
        : { level: 'error', text: `the journal cannot be written: ${input.fault}; nothing new is taken on` };
    case 'RemovalFailed':
      return {
        level: 'warn',
        text: `cannot be removed: ${input.path}, which ${input.reason}; it is tried again at the next start, and by "tritmesh clean"`,
      };
    case 'ClaimChosen':
      return {
        level: 'info',
        text: `claimed ${input.claim.standing.item} of ${input.claim.standing.owner}, rank ${input.claim.rank}`,
      };
    default:
      return undefined;
  }
}

const SENSES: Readonly<Record<'load' | 'processes' | 'disk', string>> = {
  load: 'the load cannot be sensed',
  processes: 'the processes cannot be listed',
  disk: 'room on the disk is not known',
};

function describeDisk(disk: DiskState): NodeNote {
  const level = disk.isFull ? 'warn' : 'info';
  return { level, text: describeDiskChange(disk) };
}

function describeItem(item: OwnedItem): string {
  const where = item.receiver === null ? '' : ` at ${item.receiver}`;
  const why = item.reason === '' ? '' : `: ${item.reason}`;
  return `item ${item.item.item} (${item.item.name}) ${item.phase}${where}${why}`;
}
