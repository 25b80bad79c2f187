/** The view of the mesh, on the bus in memory: what it shows, what it counts, and when it takes itself to be complete. */
import { firstValueFrom, filter, asyncScheduler, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.js';
import { createMemoryBroker, type MemoryBroker } from '../../src/bus/memory-broker.js';
import { createMemoryBus } from '../../src/bus/memory-bus.js';
import type { Clock } from '../../src/clock/clock.js';
import { meshView, type MeshView } from '../../src/observe/mesh-view.js';
import { sealMessage } from '../../src/protocol/envelope.js';
import type { Info, MeshState, State, Trit } from '../../src/protocol/messages.js';
import type { Status } from '../../src/protocol/status.js';
import { formatTopic, type Topic } from '../../src/protocol/topics.js';

const BASE = 'home/mesh';
const clock: Clock = { now: () => performance.now(), wall: () => Date.now(), scheduler: asyncScheduler };

let broker: MemoryBroker;
let writer: Bus;
let seq = 0;
const closers: (() => void)[] = [];

beforeEach(() => {
  broker = createMemoryBroker();
  writer = openBus('writer');
});

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

describe('a view of the mesh', () => {
  it('shows the members, the sum, the direction and the receivers with reasons', async () => {
    await sayMember('alpha', 1);
    await sayMember('beta', -1);
    await sayMember('gamma', 0);
    const view = openView();
    const snapshot = await firstValueFrom(view.settled$);

    expect(snapshot.members.map((one) => [one.id, one.online, one.state?.trit])).toEqual([
      ['alpha', true, 1],
      ['beta', true, -1],
      ['gamma', true, 0],
    ]);
    expect(snapshot.sum).toMatchObject({ sum: 0, residue: 0, invariant: true, direction: 'rest', online: 3 });
    expect(snapshot.receivers.ranked).toEqual(['beta']);
    expect(snapshot.receivers.blocked.get('alpha')).toBe('it is PLUS (overloaded)');
    expect(snapshot.receivers.blocked.get('gamma')).toContain('ERGODIC');
  });

  it('says each change of the direction once', async () => {
    await sayMember('alpha', 1);
    const view = openView();
    const directions = firstValueFrom(view.direction$.pipe(toArray()));
    await firstValueFrom(view.direction$.pipe(filter((direction) => direction === 'shed')));
    await sayState('alpha', -1);
    await firstValueFrom(view.direction$.pipe(filter((direction) => direction === 'wake')));
    await sayState('alpha', -1);
    view.stop();
    expect(await directions).toEqual(['rest', 'shed', 'wake']);
  });

  it('shows items until their status is taken off the bus', async () => {
    const topic: Topic = { kind: 'status', owner: 'alpha', item: 'k1' };
    await say(topic, status({ phase: 'running', receiver: 'beta' }));
    const view = openView();
    const [item] = (await firstValueFrom(view.settled$)).items;
    expect(item).toMatchObject({ owner: 'alpha', item: 'k1', phase: 'running', receiver: 'beta' });

    await sayText(topic, '', true);
    expect(await firstValueFrom(view.items$.pipe(filter((items) => items.length === 0)))).toEqual([]);
  });

  it('counts what cannot be read and shows the rest', async () => {
    await sayMember('alpha', -1);
    await sayText({ kind: 'state', node: 'beta' }, '{"v":1', true);
    await sayText({ kind: 'info', node: 'beta' }, 'not json', true);
    await sayText({ kind: 'status', owner: 'beta', item: 'x' }, '{"v":2}', true);
    const view = openView();
    const snapshot = await firstValueFrom(view.settled$);
    expect(snapshot.refused).toBe(3);
    expect(snapshot.members.filter((one) => one.online).map((one) => one.id)).toEqual(['alpha']);
  });

  it('is complete as soon as the members that the reporter counts are known', async () => {
    await sayMember('alpha', -1);
    await say({ kind: 'mesh' }, meshState(2));
    const view = openView();
    const settled = firstValueFrom(view.settled$);
    await sayMember('beta', 0);
    const snapshot = await settled;
    expect(snapshot.members.map((one) => one.id)).toEqual(['alpha', 'beta']);
    expect(snapshot.reported).toMatchObject({ online: 2, reporter: 'alpha' });
  });

  it('settles on an empty bus', async () => {
    const view = openView();
    expect(await firstValueFrom(view.settled$)).toMatchObject({ members: [], items: [], refused: 0 });
  });

  it('gives every message as an event, requests and refused ones too', async () => {
    const view = openView();
    const seen: string[] = [];
    const done = firstValueFrom(
      view.events$.pipe(
        filter((heard) => {
          seen.push(heard.type);
          return heard.type === 'refused';
        }),
      ),
    );
    await sayText({ kind: 'trit', node: 'alpha' }, '-1', false);
    await sayText({ kind: 'request', node: 'alpha', verb: 'migrate' }, '{"select":"top"}', false);
    await sayText({ kind: 'request', node: 'alpha', verb: 'dance' }, '', false);
    expect(await done).toMatchObject({ field: 'verb' });
    expect(seen).toEqual(['word', 'request', 'refused']);
  });

  it('completes all Observables at stop', async () => {
    const view = openView();
    const ended = Promise.all(
      [view.members$, view.sum$, view.receivers$, view.items$, view.events$].map((one$) =>
        firstValueFrom((one$ as typeof view.events$).pipe(toArray())),
      ),
    );
    view.stop();
    expect(await ended).toHaveLength(5);
  });
});

function openBus(clientId: string): Bus {
  const bus = createMemoryBus({ broker, clientId });
  bus.connect();
  closers.push(() => bus.close(() => {}));
  return bus;
}

function openView(): MeshView {
  const bus = createMemoryBus({ broker, clientId: `view-${seq}` });
  const view = meshView({ bus, base: BASE, clock });
  bus.connect();
  closers.push(() => {
    view.stop();
    bus.close(() => {});
  });
  return view;
}

async function sayMember(node: string, trit: Trit): Promise<void> {
  await sayText({ kind: 'availability', node }, 'online', true);
  await say({ kind: 'info', node }, info(node));
  await sayState(node, trit);
}

function sayState(node: string, trit: Trit): Promise<void> {
  return say({ kind: 'state', node }, state(trit));
}

function say(topic: Topic, body: object): Promise<void> {
  seq += 1;
  const stamp = { ts: '2026-01-01T00:00:00.000Z', boot: 1, seq };
  return sayText(topic, sealMessage(formatTopic(BASE, topic), body, stamp), true);
}

async function sayText(topic: Topic, payload: string, retain: boolean): Promise<void> {
  await firstValueFrom(writer.link$.pipe(filter((link) => link.state === 'online')));
  await new Promise<void>((resolve, reject) => {
    writer.publish({ topic: formatTopic(BASE, topic), payload, qos: 1, retain }, (error) =>
      error === undefined ? resolve() : reject(error),
    );
  });
}

function info(host: string): Info {
  return {
    key: 'A'.repeat(43),
    host,
    os: 'linux',
    arch: 'x64',
    cpus: 4,
    memory_bytes: 8e9,
    version: '0.1.0',
    transports: ['https'],
    abilities: [],
    labels: [],
  };
}

function state(trit: Trit): State {
  return {
    trit,
    load_ratio: 0.1,
    own_ratio: 0.1,
    projected_ratio: 0.1,
    cpus: 4,
    cpu_percent: 10,
    memory_percent: 20,
    slots: 4,
    slots_free: 4,
    guests: 0,
    queued: 0,
    deferred: 0,
    draining: false,
    accepting: true,
    scum: 0,
    rejected: 0,
    ttl_s: 45,
  };
}

function status(change: Partial<Status>): Status {
  return {
    phase: 'queued',
    name: 'sleep',
    epoch: 1,
    receiver: null,
    reason: '',
    attempts: 1,
    hops: 0,
    submitted_at: '2026-01-01T00:00:00.000Z',
    exit_code: null,
    signal: null,
    run_ms: null,
    cpu_s: null,
    blocked: [],
    history: [],
    ...change,
  };
}

function meshState(online: number): MeshState {
  return {
    sum: 0,
    residue: 0,
    invariant: true,
    direction: 'rest',
    online,
    plus: 0,
    ergodic: 0,
    minus: 0,
    receivers: [],
    reporter: 'alpha',
  };
}
