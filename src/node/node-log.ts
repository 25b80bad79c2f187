/** The log of a node: the few things worth a line, as they happen. A lasting fault is logged once. */
import { ReplaySubject, type Observable } from 'rxjs';
import { describeDiskChange, type DiskState } from '../core/disk/disk-space.js';
import type { OwnedItem } from '../core/owner/owned-item.js';
import type { NodeInput } from '../pipelines/inputs.js';
import type { NodeNote } from './ports.js';

/** Collects log lines. */
export interface NodeLog {
  readonly notes$: Observable<NodeNote>;
  log(level: NodeNote['level'], text: string): void;
  handle(input: NodeInput): void;
  itemChanged(before: OwnedItem | undefined, after: OwnedItem | undefined): void;
  close(): void;
}

/** Lines kept for a subscriber that comes late. */
const BUFFERED_NOTES_MAX = 100;

/** Creates an empty log. */
export function createNodeLog(): NodeLog {
  // The logger subscribes only once the node runs: lines written before must not be lost.
  const notes$ = new ReplaySubject<NodeNote>(BUFFERED_NOTES_MAX);
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
  const log = (level: NodeNote['level'], text: string): void => notes$.next({ level, text });
  return {
    notes$,
    log,
    handle: (input) => {
      if (input.type === 'PublishRefused' && !isNewKind(input.topic)) return;
      if (input.type === 'LoopbackChanged' && input.works) refused.clear();
      // The broker has already reported it, with a better reason.
      else if (input.type === 'LoopbackChanged' && refused.size > 0) return;
      const note = describeInput(input);
      if (note !== undefined) notes$.next(note);
    },
    itemChanged: (before, after) => {
      if (after === undefined) return;
      if (after.way?.isTold === true && before?.way?.isTold !== true) log('warn', `${after.spec.id}: ${after.reason}`);
      if (before?.phase !== after.phase) log('info', describeItem(after));
    },
    close: () => notes$.complete(),
  };
}

/** What to do about a broker's access list. */
const USER_ADVICE =
  'give the node the user of its own name (--username), or let its user write what "What an ACL must allow" in docs/reference/protocol.md lists';

/** The topic levels that name kinds; those in between are ids. */
const KINDS: ReadonlySet<string> = new Set(
  'node work mesh availability trit state scum info event request response offer ack lease claim progress result log status'.split(
    ' ',
  ),
);

function describeInput(input: NodeInput): NodeNote | undefined {
  switch (input.type) {
    case 'LinkChanged':
      // The state before the first attempt is not news.
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
            text: `${input.topic} was published and does not come back: the broker drops it silently, or this user may not read it; no other node sees this one; ${USER_ADVICE}`,
          };
    case 'SenseFailed':
      return { level: 'warn', text: `${SENSES[input.sense]}: ${input.fault}` };
    case 'DiskMeasured':
      return input.changed ? describeDisk(input.disk) : undefined;
    case 'MessageRefused':
      return { level: 'debug', text: `refused a message on ${input.topic}: ${input.reason}` };
    case 'RequestRefused':
      return { level: 'info', text: `refused a ${input.verb} request: ${input.reason}` };
    case 'RivalHeard':
      return {
        level: 'error',
        text: `another node, on ${input.host}, claims to be this one: give one of them another --id`,
      };
    case 'RenameWanted':
      if (!input.isNews) return undefined;
      return {
        level: 'info',
        text:
          input.to === undefined
            ? 'the node keeps its id and accepts work again'
            : `the node is being renamed to ${input.to}: it accepts no new work, and what runs here ends or moves away first`,
      };
    case 'JournalChanged':
      return input.fault === undefined
        ? { level: 'info', text: 'the journal can be written again' }
        : { level: 'error', text: `the journal cannot be written: ${input.fault}; no new work is accepted` };
    case 'RemovalFailed':
      return {
        level: 'warn',
        text: `cannot remove ${input.path}, which ${input.reason}; the next start and "tritmesh clean" try again`,
      };
    case 'KeepFailed':
      return {
        level: 'warn',
        text: `cannot mark guests/${input.guest} as kept: ${input.reason}; fetch its files before this node stops, since "tritmesh clean" would then remove them`,
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
  disk: 'the free disk space is not known',
};

function describeDisk(disk: DiskState): NodeNote {
  const level = disk.isFull ? 'warn' : 'info';
  return { level, text: describeDiskChange(disk) };
}

function describeItem(item: OwnedItem): string {
  const where = item.receiver === null ? '' : ` at ${item.receiver}`;
  const why = item.reason === '' ? '' : `: ${item.reason}`;
  return `item ${item.spec.id} (${item.spec.name}) ${item.phase}${where}${why}`;
}
