/** Whether a node's own birth comes back to it: told when it does not, told once, and told when it does again. */
import { Subject } from 'rxjs';
import { beforeEach, expect, it } from 'vitest';
import type { BusLink, BusMessage } from '../../src/bus/bus.js';
import { watchLoopback } from '../../src/pipelines/loopback.js';
import { createManualClock, type ManualClock } from './manual-clock.js';

const ONLINE: BusLink = { state: 'online' };
const OFFLINE: BusLink = { state: 'offline', reason: 'closed' };

let clock: ManualClock;
let link$: Subject<BusLink>;
let messages$: Subject<BusMessage>;
let told: boolean[];

beforeEach(() => {
  clock = createManualClock();
  link$ = new Subject();
  messages$ = new Subject();
  told = [];
  watchLoopback({ link$, messages$, topic: 'x/info', clock }).subscribe((works) => void told.push(works));
});

function echo(change: Partial<BusMessage> = {}): void {
  messages$.next({ topic: 'x/info', payload: Buffer.from('{}'), retained: false, ...change });
}

it('says nothing while it comes back, also a little before the link is said to be online', () => {
  link$.next(ONLINE);
  echo();
  clock.pass(60_000);
  link$.next(OFFLINE);
  echo();
  link$.next(ONLINE);
  clock.pass(60_000);
  expect(told).toEqual([]);
});

it('tells after ten seconds that it does not, and a kept message or another topic is no echo', () => {
  link$.next(ONLINE);
  echo({ retained: true });
  echo({ topic: 'x/state' });
  clock.pass(9999);
  expect(told).toEqual([]);
  clock.pass(1);
  expect(told).toEqual([false]);
});

it('tells it once over several connects, and that it works again', () => {
  for (let connects = 0; connects < 3; connects += 1) {
    link$.next(ONLINE);
    clock.pass(20_000);
    link$.next(OFFLINE);
  }
  expect(told).toEqual([false]);
  link$.next(ONLINE);
  echo();
  echo();
  clock.pass(20_000);
  expect(told).toEqual([false, true]);
});

it('does not count time without a connection', () => {
  link$.next(ONLINE);
  clock.pass(9000);
  link$.next(OFFLINE);
  clock.pass(60_000);
  expect(told).toEqual([]);
});
