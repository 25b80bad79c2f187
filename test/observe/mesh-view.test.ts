/** The view of the mesh on the bus in memory: what it shows, what it counts, and when it considers itself complete. */
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
  it('a view shows the members, the sum, the direction and the receivers with reasons', async () => {
    await publishMember('alpha', 1);
    await publishMember('beta', -1);
    await publishMember('gamma', 0);
    const members = openView();
    const snapshot = await firstValueFrom(members.settled$);

    expect(snapshot.members.map((one) => [one.id, one.online, one.state?.trit])).toEqual([
      ['alpha', true, 1],
      ['beta', true, -1],
      ['gamma', true, 0],
    ]);
    expect(snapshot.sum).toMatchObject({ sum: 0, residue: 0, invariant: true, direction: 'rest', online: 3 });
    expect(snapshot.receivers.ranked).toEqual(['beta']);
    expect(snapshot.receivers.blocked.get('alpha')?.text).toBe('it is PLUS (overloaded)');
    expect(snapshot.receivers.blocked.get('gamma')?.text).toContain('ERGODIC');
  });

  it('a view emits each change of the direction once', async () => {
    await publishMember('alpha', 1);
    const members = openView();
    const directions = firstValueFrom(members.direction$.pipe(toArray()));
    await firstValueFrom(members.direction$.pipe(filter((direction) => direction === 'shed')));
    await publishState('alpha', -1);
    await firstValueFrom(members.direction$.pipe(filter((direction) => direction === 'wake')));
    await publishState('alpha', -1);
    members.stop();
    expect(await directions).toEqual(['rest', 'shed', 'wake']);
  });

  it('a view shows items until their status is cleared', async () => {
    const topic: Topic = { kind: 'status', owner: 'alpha', item: 'k1' };
    await publish(topic, status({ phase: 'running', receiver: 'beta' }));
    const members = openView();
    const [item] = (await firstValueFrom(members.settled$)).items;
    expect(item).toMatchObject({ owner: 'alpha', item: 'k1', phase: 'running', receiver: 'beta' });

    await publishText(topic, '', true);
    expect(await firstValueFrom(members.items$.pipe(filter((items) => items.length === 0)))).toEqual([]);
  });

  it('a view counts messages that cannot be read and shows the rest', async () => {
    await publishMember('alpha', -1);
    await publishText({ kind: 'state', node: 'beta' }, '{"v":1', true);
    await publishText({ kind: 'info', node: 'beta' }, 'not json', true);
    await publishText({ kind: 'status', owner: 'beta', item: 'x' }, '{"v":2}', true);
    const members = openView();
    const snapshot = await firstValueFrom(members.settled$);
    expect(snapshot.refused).toBe(3);
    expect(snapshot.members.filter((one) => one.online).map((one) => one.id)).toEqual(['alpha']);
  });

  it('a view is complete as soon as the members that the reporter counts are known', async () => {
    await publishMember('alpha', -1);
    await publish({ kind: 'mesh' }, meshState(2));
    const members = openView();
    const settled = firstValueFrom(members.settled$);
    await publishMember('beta', 0);
    const snapshot = await settled;
    expect(snapshot.members.map((one) => one.id)).toEqual(['alpha', 'beta']);
    expect(snapshot.reported).toMatchObject({ online: 2, reporter: 'alpha' });
  });

  it('a view settles on an empty bus', async () => {
    const members = openView();
    expect(await firstValueFrom(members.settled$)).toMatchObject({ members: [], items: [], refused: 0 });
  });

  it('a view emits every message as an event, including requests and refused ones', async () => {
    const members = openView();
    const seen: string[] = [];
    const done = firstValueFrom(
      members.events$.pipe(
        filter((event) => {
          seen.push(event.type);
          return event.type === 'refused';
        }),
      ),
    );
    await publishText({ kind: 'trit', node: 'alpha' }, '-1', false);
    await publishText({ kind: 'request', node: 'alpha', verb: 'migrate' }, '{"select":"top"}', false);
    await publishText({ kind: 'request', node: 'alpha', verb: 'dance' }, '', false);
    expect(await done).toMatchObject({ field: 'verb' });
    expect(seen).toEqual(['word', 'request', 'refused']);
  });

  it('a view completes all Observables at stop', async () => {
    const members = openView();
    const ended = Promise.all(
      [members.members$, members.sum$, members.receivers$, members.items$, members.events$].map((one$) =>
        firstValueFrom((one$ as typeof members.events$).pipe(toArray())),
      ),
    );
    members.stop();
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
  const members = meshView({ bus, base: BASE, clock });
  bus.connect();
  closers.push(() => {
    members.stop();
    bus.close(() => {});
  });
  return members;
}

async function publishMember(node: string, trit: Trit): Promise<void> {
  await publishText({ kind: 'availability', node }, 'online', true);
  await publish({ kind: 'info', node }, info(node));
  await publishState(node, trit);
}

function publishState(node: string, trit: Trit): Promise<void> {
  return publish({ kind: 'state', node }, state(trit));
}

function publish(topic: Topic, body: object): Promise<void> {
  seq += 1;
  const stamp = { ts: '2026-01-01T00:00:00.000Z', boot: 1, seq };
  return publishText(topic, sealMessage(formatTopic(BASE, topic), body, stamp), true);
}

async function publishText(topic: Topic, payload: string, retain: boolean): Promise<void> {
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
