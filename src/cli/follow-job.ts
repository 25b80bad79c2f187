/** What the bus tells of one item, from before it is submitted to its end: statuses, progress, output. */
import { filter, map, ReplaySubject, type Observable } from 'rxjs';
import type { Client } from '../compose-client.js';
import { readHeard } from '../observe/heard.js';
import type { Log, Progress } from '../protocol/work-messages.js';
import type { Status } from '../protocol/status.js';
import { formatTopic, type Topic } from '../protocol/topics.js';

/** One item as it is followed. */
export interface FollowedJob {
  readonly owner: string;
  readonly item: string;
  /** All statuses so far, then each new one. */
  readonly status$: Observable<Status>;
  /** All renewals so far that brought news for people, then each new one. */
  readonly progress$: Observable<Progress & { readonly node: string }>;
  readonly log$: Observable<Log & { readonly node: string }>;
  /** The owner's availability as it was last said, then each new word: `online` or `offline`. */
  readonly owner$: Observable<string>;
  /** Takes in a status that was learnt by asking. */
  learn(status: Status): void;
  /** The last status; `undefined` until one was heard. */
  last(): Status | undefined;
  stop(): void;
}

/** As much of the past as a late subscriber is told. */
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
  const progress$ = new ReplaySubject<Progress & { readonly node: string }>(PAST_MAX);
  // Output may come before anybody asks for it, between submission and its answer.
  const log$ = new ReplaySubject<Log & { readonly node: string }>(PAST_MAX * 10);
  const owner$ = new ReplaySubject<string>(1);
  let last: Status | undefined;

  const prefix = formatTopic(base, { kind: 'status', owner, item }).replace(/status$/, '');
  const availability = formatTopic(base, { kind: 'availability', node: owner });
  const learn = (status: Status): void => {
    last = status;
    status$.next(status);
  };
  const subscription = bus.messages$
    .pipe(
      filter(({ topic }) => topic === availability || topic.startsWith(prefix)),
      map((message) => readHeard(base, message)),
    )
    .subscribe((heard) => {
      if (heard.type === 'word') owner$.next(heard.text);
      if (heard.type !== 'message') return;
      if (heard.kind === 'status') learn(heard.message);
      else if (heard.kind === 'progress') progress$.next({ ...heard.message, node: heard.topic.node });
      else if (heard.kind === 'log') log$.next({ ...heard.message, node: heard.topic.node });
    });
  bus.subscribe(topics.map((topic) => formatTopic(base, topic)));

  return {
    owner,
    item,
    status$,
    progress$,
    log$,
    owner$,
    learn,
    last: () => last,
    stop() {
      subscription.unsubscribe();
    },
  };
}
