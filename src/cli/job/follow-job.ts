/** Follows one item on the bus, from before it is submitted to its end: statuses, progress, output. */
import { filter, map, ReplaySubject, type Observable } from 'rxjs';
import type { Client } from '../../compose/client.js';
import { decodeBusEvent } from '../../observe/bus-event.js';
import type { LogPiece, ProgressReport } from '../../protocol/work-messages.js';
import type { Status } from '../../protocol/status.js';
import { formatTopic, type Topic } from '../../protocol/topics.js';

/** The messages about one item. Late subscribers receive the past first, up to a bound. */
export interface FollowedJob {
  readonly owner: string;
  readonly item: string;
  /** All statuses so far, then each new one. */
  readonly status$: Observable<Status>;
  /** All progress reports so far, then each new one. */
  readonly progress$: Observable<ProgressReport & { readonly node: string }>;
  readonly log$: Observable<LogPiece & { readonly node: string }>;
  /** The owner's last availability, then each new one: `online` or `offline`. */
  readonly owner$: Observable<string>;
  /** Adds a status that came as the answer to a request. */
  addStatus(status: Status): void;
  /** Adds output that came another way. */
  addLog(log: LogPiece & { readonly node: string }): void;
  /** The last status; `undefined` until there is one. */
  last(): Status | undefined;
  stop(): void;
}

/** Messages replayed to a late subscriber. */
const PAST_MAX = 100;

/** Follows an item; call it before the client connects. */
export function followJob(client: Pick<Client, 'bus' | 'base'>, owner: string, item: string): FollowedJob {
  const { bus, base } = client;
  const topics: readonly Topic[] = [
    { kind: 'status', owner, item },
    { kind: 'progress', owner, item, node: '+' },
    { kind: 'log', owner, item, node: '+' },
    { kind: 'availability', node: owner },
  ];
  const status$ = new ReplaySubject<Status>(PAST_MAX);
  const progress$ = new ReplaySubject<ProgressReport & { readonly node: string }>(PAST_MAX);
  // Output may arrive before anyone subscribes, between the submission and its answer.
  const log$ = new ReplaySubject<LogPiece & { readonly node: string }>(PAST_MAX * 10);
  const owner$ = new ReplaySubject<string>(1);
  let last: Status | undefined;

  const prefix = formatTopic(base, { kind: 'status', owner, item }).replace(/status$/, '');
  const availability = formatTopic(base, { kind: 'availability', node: owner });
  const addStatus = (status: Status): void => {
    last = status;
    status$.next(status);
  };
  const subscription = bus.messages$
    .pipe(
      filter(({ topic }) => topic === availability || topic.startsWith(prefix)),
      map((message) => decodeBusEvent(base, message)),
    )
    .subscribe((event) => {
      if (event.type === 'word') owner$.next(event.text);
      if (event.type !== 'message') return;
      if (event.kind === 'status') addStatus(event.message);
      else if (event.kind === 'progress') progress$.next({ ...event.message, node: event.topic.node });
      else if (event.kind === 'log') log$.next({ ...event.message, node: event.topic.node });
    });
  bus.subscribe(topics.map((topic) => formatTopic(base, topic)));

  return {
    owner,
    item,
    status$,
    progress$,
    log$,
    owner$,
    addStatus,
    addLog: (log) => log$.next(log),
    last: () => last,
    stop() {
      subscription.unsubscribe();
    },
  };
}
