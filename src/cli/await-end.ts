/**
 * Waits for the end of an item, also for one that came while nobody listened: after each reconnect, each return of its owner
 * and each silence the owner is asked how it stands. It says why it waits, once for each reason, and never waits for an item
 * that its owner does not know.
 */
import {
  auditTime,
  catchError,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  first,
  from,
  ignoreElements,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  skip,
  startWith,
  switchMap,
  tap,
  throttleTime,
  timer,
} from 'rxjs';
import type { Client } from '../compose-client.js';
import type { Phase, Status } from '../protocol/status.js';
import { AskFailed, type Asker } from './ask.js';
import type { FollowedJob } from './follow-job.js';
import { describeStep, isOver, isStuck } from './render/run.js';
import { askStanding, isTooOld, type Standing } from './standing.js';

/** How a wait ended. `stuck`: it has run, and there is no way to its outputs. `forgotten`: the owner does not know the item; `reason` is its sentence. */
export type JobEnd =
  | { readonly type: 'over' | 'stuck'; readonly status: Status }
  | { readonly type: 'forgotten'; readonly reason: string };

/** What waiting needs. */
export interface AwaitParts {
  readonly client: Pick<Client, 'bus' | 'clock'>;
  /** Asks the owner, with a patience of a few seconds. */
  readonly asker: Asker;
  readonly job: FollowedJob;
  readonly say: (text: string) => void;
  /** Somebody is told each step as it comes: why it waits need not be said again. */
  readonly isTold: boolean;
  /** Ask at once: it may have ended before anybody listened. */
  readonly now?: boolean;
}

/** The owner is asked after so long a silence about the item, ms. */
const QUIET_MS = 8000;
/** Why an item waits is said after so long, ms: most wait for a moment only. */
const PATIENCE_MS = 4000;
/** Another reason is said at most this often, ms. */
const WHY_MS = 15_000;
/** `offline` is believed once it stood for so long, ms: a session that is taken over says it, too. */
const OFFLINE_MS = 3000;

const WAITING: ReadonlySet<Phase> = new Set(['staging', 'deferred', 'queued', 'offered', 'acked', 'returning']);

/** Emits once, when there is nothing more to wait for. */
export function awaitEnd(parts: AwaitParts): Observable<JobEnd> {
  const { job } = parts;
  const heard$ = job.status$.pipe(
    filter((status) => isOver(status) || isStuck(status)),
    map((status): JobEnd => ({ type: isOver(status) ? 'over' : 'stuck', status })),
  );
  return merge(heard$, learn(parts), tellOwner(parts), parts.isTold ? EMPTY : tellWhy(parts)).pipe(first());
}

/** Asks the owner whenever a message may have been missed. A newer question replaces one that is still open. */
function learn(parts: AwaitParts): Observable<JobEnd> {
  const { client, job, asker } = parts;
  const { scheduler } = client.clock;
  const online$ = client.bus.link$.pipe(
    // The present state is no reconnect.
    skip(1),
    filter((link) => link.state === 'online'),
  );
  const back$ = job.owner$.pipe(
    distinctUntilChanged(),
    skip(1),
    filter((word) => word === 'online'),
  );
  const signs$ = merge(online$, job.status$, job.progress$, job.log$);
  const quiet$ = signs$.pipe(
    auditTime(QUIET_AUDIT_MS, scheduler),
    startWith(undefined),
    switchMap(() => timer(QUIET_MS, QUIET_MS, scheduler)),
  );
  let fault = '';
  let isMute = false;
  const ask$ = defer(() => (isMute ? EMPTY : from(askStanding(asker, job.item)))).pipe(
    tap(() => (fault = '')),
    catchError((error: unknown) => {
      if (!(error instanceof AskFailed)) throw error;
      // A node of an older version cannot be asked: what it says by itself has to do.
      if (isTooOld(error)) isMute = true;
      // That it is offline, or not to be reached, is told by others.
      else if (error.fault !== 'offline' && error.fault !== 'unsent' && fault !== error.message) {
        fault = error.message;
        parts.say(`${error.message.replace(/^item: /, '')}; still waiting for ${job.item}`);
      }
      return EMPTY;
    }),
  );
  return merge(parts.now === true ? of(undefined) : EMPTY, online$, back$, quiet$).pipe(
    switchMap(() => ask$),
    switchMap((standing) => settle(standing, job)),
  );
}

/** Many messages in a short while are one sign of life: a chatty job must not cost a timer for each line. */
const QUIET_AUDIT_MS = 500;

function settle(standing: Standing, job: FollowedJob): Observable<JobEnd> {
  if (!standing.known) return of({ type: 'forgotten', reason: standing.reason });
  if (isOver(standing.status)) return of({ type: 'over', status: standing.status });
  if (isStuck(standing.status)) return of({ type: 'stuck', status: standing.status });
  job.learn(standing.status);
  return EMPTY;
}

/** Says when the owner goes and when it is back. */
function tellOwner({ client, job, say }: AwaitParts): Observable<never> {
  let isGone = false;
  return job.owner$.pipe(
    distinctUntilChanged(),
    switchMap((word) =>
      word === 'online' ? of(word) : timer(OFFLINE_MS, client.clock.scheduler).pipe(map(() => word)),
    ),
    tap((word) => {
      if (isGone === (word !== 'online')) return;
      isGone = word !== 'online';
      say(isGone ? `node ${job.owner} is offline; waiting for it, and for ${job.item}` : `node ${job.owner} is back`);
    }),
    ignoreElements(),
  );
}

/** Says why the item waits, for those who are not told each step. */
function tellWhy({ client, job, say }: AwaitParts): Observable<never> {
  const { scheduler } = client.clock;
  return merge(job.status$, NEVER).pipe(
    auditTime(PATIENCE_MS, scheduler),
    filter(({ phase }) => WAITING.has(phase)),
    map((status) => describeStep(job.item, status)),
    distinctUntilChanged(),
    throttleTime(WHY_MS, scheduler, { leading: true, trailing: true }),
    tap(say),
    ignoreElements(),
  );
}
