/** Whether a node's own birth comes back to it: reported once when it does not, and again when it does. */
import { Subject } from 'rxjs';
import { beforeEach, expect, it } from 'vitest';
import type { BusLink, BusMessage } from '../../../src/bus/bus.js';
import { watchLoopback } from '../../../src/pipelines/mesh/loopback.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

const ONLINE: BusLink = { state: 'online' };
const OFFLINE: BusLink = { state: 'offline', reason: 'closed' };

let clock: ManualClock;
let link$: Subject<BusLink>;
let messages$: Subject<BusMessage>;
let verdicts: boolean[];

beforeEach(() => {
  clock = createManualClock();
  link$ = new Subject();
  messages$ = new Subject();
  verdicts = [];
  watchLoopback({ link$, messages$, topic: 'x/info', clock }).subscribe((works) => void verdicts.push(works));
});

function echo(change: Partial<BusMessage> = {}): void {
  messages$.next({ topic: 'x/info', payload: Buffer.from('{}'), retained: false, ...change });
}

it('emits nothing while it comes back, also a little before the link is online', () => {
  link$.next(ONLINE);
  echo();
  clock.pass(60_000);
  link$.next(OFFLINE);
  echo();
  link$.next(ONLINE);
  clock.pass(60_000);
  expect(verdicts).toEqual([]);
});

it('reports after ten seconds that it does not; a retained message or another topic is not an echo', () => {
  link$.next(ONLINE);
  echo({ retained: true });
  echo({ topic: 'x/state' });
  clock.pass(9999);
  expect(verdicts).toEqual([]);
  clock.pass(1);
  expect(verdicts).toEqual([false]);
});

it('reports it once over several connects, and that it works again', () => {
  for (let connects = 0; connects < 3; connects += 1) {
    link$.next(ONLINE);
    clock.pass(20_000);
    link$.next(OFFLINE);
  }
  expect(verdicts).toEqual([false]);
  link$.next(ONLINE);
  echo();
  echo();
  clock.pass(20_000);
  expect(verdicts).toEqual([false, true]);
});

it('does not count time without a connection', () => {
  link$.next(ONLINE);
  clock.pass(9000);
  link$.next(OFFLINE);
  clock.pass(60_000);
  expect(verdicts).toEqual([]);
});
