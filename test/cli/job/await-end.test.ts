/** When a wait for an item reports its reason, and when it asks the owner, in virtual time. */
import { BehaviorSubject, NEVER, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { BusLink } from '../../../src/bus/bus.js';
import { RequestFailed } from '../../../src/cli/request/request-client.js';
import { awaitEnd, type JobEnd } from '../../../src/cli/job/await-end.js';
import type { Status } from '../../../src/protocol/status.js';
import { createManualClock } from '../../support/manual-clock.js';

const ITEM = 'one';

function status(phase: Status['phase'], reason = '', more: Partial<Status> = {}): Status {
  return {
    phase,
    name: 'sleep',
    epoch: 1,
    receiver: null,
    reason,
    attempts: 0,
    hops: 0,
    submitted_at: '2026-01-01T00:00:00.000Z',
    exit_code: null,
    signal: null,
    run_ms: null,
    cpu_s: null,
    blocked: [],
    history: [],
    ...more,
  };
}

interface Waiter {
  readonly said: (readonly [atMs: number, text: string])[];
  readonly asked: number[];
  readonly ends: JobEnd[];
  readonly status$: Subject<Status>;
  readonly owner$: Subject<string>;
  readonly link$: Subject<BusLink>;
  /** Advances the virtual clock to this time, ms. */
  until(ms: number): void;
}

/** Waits for an item whose owner cannot be asked. */
function wait(isVerbose = false): Waiter {
  const clock = createManualClock();
  const link$ = new BehaviorSubject<BusLink>({ state: 'online' });
  const [status$, owner$] = [new Subject<Status>(), new Subject<string>()];
  const waiter: Waiter = {
    said: [],
    asked: [],
    ends: [],
    status$,
    owner$,
    link$,
    until(ms) {
      clock.pass(ms - clock.now());
    },
  };
  const bus = { link$, messages$: NEVER };
  awaitEnd({
    client: { bus, clock } as unknown as Parameters<typeof awaitEnd>[0]['client'],
    requests: {
      send(verb) {
        waiter.asked.push(clock.now());
        return Promise.reject(new RequestFailed('offline', 'alpha', verb, 'node "alpha" is offline'));
      },
    },
    job: {
      owner: 'alpha',
      item: ITEM,
      status$,
      progress$: NEVER,
      log$: NEVER,
      owner$,
      addLog: () => undefined,
      addStatus: (added) => status$.next(added),
      last: () => undefined,
      stop: () => undefined,
    },
    report: (text) => waiter.said.push([clock.now(), text]),
    isVerbose,
  }).subscribe((end) => waiter.ends.push(end));
  return waiter;
}

describe('a wait', () => {
  it('reports why within five seconds, each reason once, and another at most every 15 s', () => {
    const waiter = wait();
    waiter.status$.next(status('queued', 'the broker cannot be reached'));
    waiter.until(3999);
    expect(waiter.said).toEqual([]);
    waiter.until(5000);
    expect(waiter.said).toEqual([[4000, `${ITEM} is queued: the broker cannot be reached`]]);
    waiter.status$.next(status('queued', 'the broker cannot be reached'));
    waiter.until(60_000);
    expect(waiter.said).toHaveLength(1);
    waiter.status$.next(status('queued', 'no room on beta'));
    waiter.until(64_000);
    waiter.status$.next(status('queued', 'beta drains'));
    waiter.until(68_000);
    waiter.status$.next(status('queued', 'nobody is idle'));
    waiter.until(120_000);
    expect(waiter.said.slice(1)).toEqual([
      [64_000, `${ITEM} is queued: no room on beta`],
      [79_000, `${ITEM} is queued: nobody is idle`],
    ]);
  });

  it('is silent for an item that waits briefly, runs, or is followed step by step', () => {
    const short = wait();
    short.status$.next(status('offered', 'looking for a receiver'));
    short.until(2000);
    short.status$.next(status('running', 'beta claimed it', { receiver: 'beta' }));
    short.until(30_000);
    expect(short.said).toEqual([]);
    const verbose = wait(true);
    verbose.status$.next(status('queued', 'nobody is idle'));
    verbose.until(30_000);
    expect(verbose.said).toEqual([]);
  });

  it('asks the owner after eight seconds of silence and after each reconnect, not at the first connection', () => {
    const waiter = wait();
    waiter.until(7999);
    expect(waiter.asked).toEqual([]);
    waiter.until(8000);
    expect(waiter.asked).toEqual([8000]);
    waiter.link$.next({ state: 'offline', reason: 'gone' });
    waiter.link$.next({ state: 'online' });
    expect(waiter.asked).toEqual([8000, 8000]);
    waiter.status$.next(status('running'));
    waiter.until(16_000);
    expect(waiter.asked).toHaveLength(2);
  });

  it('reports the owner as offline after three seconds, and when it is back', () => {
    const waiter = wait();
    waiter.owner$.next('online');
    waiter.owner$.next('offline');
    waiter.until(1000);
    waiter.owner$.next('online');
    waiter.until(10_000);
    expect(waiter.said).toEqual([]);
    waiter.owner$.next('offline');
    waiter.until(13_000);
    waiter.owner$.next('online');
    expect(waiter.said).toEqual([
      [13_000, `node alpha is offline; waiting for it, and for ${ITEM}`],
      [13_000, 'node alpha is back'],
    ]);
  });

  it.each(['done', 'failed', 'cancelled', 'lost'] as const)('is over when the item is %s', (phase) => {
    const waiter = wait();
    waiter.status$.next(status(phase));
    expect(waiter.ends).toEqual([{ type: 'over', status: status(phase) }]);
  });
});
