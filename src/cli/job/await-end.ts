/**
 * Waits for the end of an item. Messages may be missed, so the owner is asked for the status after each reconnect, when
 * the owner comes back, and after a silence. It reports each reason for waiting once, and never waits for an item that
 * its owner does not know.
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
import type { Client } from '../../compose/client.js';
import type { Phase, Status } from '../../protocol/status.js';
import { RequestFailed, type RequestClient } from '../request/request-client.js';
import type { FollowedJob } from './follow-job.js';
import { describeStep, isOver, isStuck } from '../render/run.js';
import { requestStanding, isTooOld, type ItemStanding } from './item-standing.js';

/**
 * How a wait ended. `stuck`: the item has run, but its outputs cannot be reached. `forgotten`: the owner does not know
 * the item; `reason` is the owner's sentence.
 */
export type JobEnd =
  | { readonly type: 'over' | 'stuck'; readonly status: Status }
  | { readonly type: 'forgotten'; readonly reason: string };

/** Dependencies of {@link awaitEnd}. */
export interface AwaitEndDeps {
  readonly client: Pick<Client, 'bus' | 'clock'>;
  /** Requests to the owner, with a timeout of a few seconds. */
  readonly requests: RequestClient;
  readonly job: FollowedJob;
  readonly report: (text: string) => void;
  /** Each step is reported anyway: the reasons for waiting are not repeated here. */
  readonly isVerbose: boolean;
  /** Ask the owner at once: the item may have ended before the subscription. */
  readonly now?: boolean;
}

/** Silence about the item after which the owner is asked, ms. */
const QUIET_MS = 8000;
/** Time after which the reason for waiting is reported, ms: most items wait only briefly. */
const PATIENCE_MS = 4000;
/** Minimum time between two reported reasons, ms. */
const WHY_MS = 15_000;
/** Time after which `offline` is believed, ms: a session takeover publishes it too. */
const OFFLINE_MS = 3000;

const WAITING: ReadonlySet<Phase> = new Set(['staging', 'deferred', 'queued', 'offered', 'acked', 'returning']);

/** Emits once, when there is nothing more to wait for. */
export function awaitEnd(deps: AwaitEndDeps): Observable<JobEnd> {
  const { job } = deps;
  const end$ = job.status$.pipe(
    filter((status) => isOver(status) || isStuck(status)),
    map((status): JobEnd => ({ type: isOver(status) ? 'over' : 'stuck', status })),
  );
  return merge(end$, pollOwner(deps), reportOwner(deps), deps.isVerbose ? EMPTY : reportWhy(deps)).pipe(first());
}

/** Asks the owner whenever a message may have been missed. A newer request replaces one that is still open. */
function pollOwner(deps: AwaitEndDeps): Observable<JobEnd> {
  const { client, job, requests } = deps;
  const { scheduler } = client.clock;
  const online$ = client.bus.link$.pipe(
    // The first value is the current state, not a reconnect.
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
  let isUnsupported = false;
  const status$ = defer(() => (isUnsupported ? EMPTY : from(requestStanding(requests, job.item)))).pipe(
    tap(() => (fault = '')),
    catchError((error: unknown) => {
      if (!(error instanceof RequestFailed)) throw error;
      // A node of an older version does not know the request: only its messages are left.
      if (isTooOld(error)) isUnsupported = true;
      // That the owner is offline or cannot be reached is reported elsewhere.
      else if (error.fault !== 'offline' && error.fault !== 'unsent' && fault !== error.message) {
        fault = error.message;
        deps.report(`${error.message.replace(/^item: /, '')}; still waiting for ${job.item}`);
      }
      return EMPTY;
    }),
  );
  return merge(deps.now === true ? of(undefined) : EMPTY, online$, back$, quiet$).pipe(
    switchMap(() => status$),
    switchMap((standing) => handleStanding(standing, job)),
  );
}

/** Messages within this time count as one sign of life, ms: a chatty job must not start a timer per line. */
const QUIET_AUDIT_MS = 500;

function handleStanding(standing: ItemStanding, job: FollowedJob): Observable<JobEnd> {
  if (!standing.known) return of({ type: 'forgotten', reason: standing.reason });
  if (isOver(standing.status)) return of({ type: 'over', status: standing.status });
  if (isStuck(standing.status)) return of({ type: 'stuck', status: standing.status });
  job.addStatus(standing.status);
  return EMPTY;
}

/** Reports when the owner goes offline and when it is back. */
function reportOwner({ client, job, report }: AwaitEndDeps): Observable<never> {
  let isGone = false;
  return job.owner$.pipe(
    distinctUntilChanged(),
    switchMap((word) =>
      word === 'online' ? of(word) : timer(OFFLINE_MS, client.clock.scheduler).pipe(map(() => word)),
    ),
    tap((word) => {
      if (isGone === (word !== 'online')) return;
      isGone = word !== 'online';
      report(
        isGone ? `node ${job.owner} is offline; waiting for it, and for ${job.item}` : `node ${job.owner} is back`,
      );
    }),
    ignoreElements(),
  );
}

/** Reports why the item waits, for users who do not see each step. */
function reportWhy({ client, job, report }: AwaitEndDeps): Observable<never> {
  const { scheduler } = client.clock;
  return merge(job.status$, NEVER).pipe(
    auditTime(PATIENCE_MS, scheduler),
    filter(({ phase }) => WAITING.has(phase)),
    map((status) => describeStep(job.item, status)),
    distinctUntilChanged(),
    throttleTime(WHY_MS, scheduler, { leading: true, trailing: true }),
    tap(report),
    ignoreElements(),
  );
}
