/**
 * The local socket with both of its ends: what passes through it, who may connect, what is left behind, and what a
 * misbehaving program can do.
 */
import { chmodSync, existsSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { filter, firstValueFrom, map, ReplaySubject, take, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Bus, BusMessage, BusPublish } from '../../../src/bus/bus.js';
import { createLocalBus } from '../../../src/bus/local/local-bus.js';
import type { LocalDoor } from '../../../src/bus/local-door.js';
import { localDirectory, localSocketPath } from '../../../src/bus/local/local-place.js';
import { createSocketDoor } from '../../../src/bus/local/socket-door.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';
import { closeBus, publishAndWait, untilLink } from '../../support/link-wait.js';

const STATE = 'tritmesh/node/alpha/state';
const RUN = 'tritmesh/node/alpha/request/run';
const makeDirectory = temporaryDirectories();
const endings: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function openDoor(stateDir: string, backlogBytesMax?: number): Promise<LocalDoor> {
  const door = makeDoor(stateDir, backlogBytesMax);
  expect(await opened(door)).toBeUndefined();
  return door;
}

function makeDoor(stateDir: string, backlogBytesMax?: number): LocalDoor {
  const door = createSocketDoor({ stateDir, node: 'alpha', base: 'tritmesh', backlogBytesMax });
  endings.push(() => shut(door));
  return door;
}

function opened(door: LocalDoor): Promise<string | undefined> {
  return new Promise((resolve) => door.open(resolve));
}

function shut(door: LocalDoor): Promise<void> {
  return new Promise((resolve) => door.close(resolve));
}

function makeBus(stateDir: string, filters: readonly string[], node = 'alpha'): Bus {
  const bus = createLocalBus({ stateDir, node, base: 'tritmesh' });
  bus.subscribe(filters);
  endings.push(() => closeBus(bus));
  return bus;
}

async function connectBus(stateDir: string, filters: readonly string[] = ['tritmesh/#']): Promise<Bus> {
  const bus = makeBus(stateDir, filters);
  bus.connect();
  await untilLink(bus, { state: 'online' });
  return bus;
}

function collect(bus: Pick<Bus, 'messages$'>, count: number): Promise<readonly string[]> {
  const text = ({ topic, payload, retained }: BusMessage): string =>
    `${topic} ${Buffer.from(payload).toString()}${retained ? ' (retained)' : ''}`;
  return firstValueFrom(bus.messages$.pipe(take(count), toArray())).then((heard) => heard.map(text));
}

function retained(topic: string, payload: string): BusPublish {
  return { topic, payload, qos: 1, retain: true };
}

/** Connects a program that does not know the protocol. */
async function connectRaw(stateDir: string): Promise<{
  socket: Socket;
  gone: Promise<string>;
  /** The first line with this text, past or future. */
  heard(text: string): Promise<unknown>;
}> {
  const socket = connect(localSocketPath(stateDir));
  let heard = '';
  const heard$ = new ReplaySubject<string>(1);
  socket.on('data', (chunk) => heard$.next((heard += chunk.toString())));
  socket.on('error', () => undefined);
  const gone = new Promise<string>((resolve) => socket.once('close', () => resolve(heard)));
  await once(socket, 'connect');
  const findLine = (text: string): Promise<unknown> => {
    const line$ = heard$.pipe(
      map((all) => all.split('\n').slice(0, -1)),
      map((lines) => lines.find((line) => line.includes(text))),
      filter((line) => line !== undefined),
    );
    return firstValueFrom(line$).then((line): unknown => JSON.parse(line));
  };
  return { socket, gone, heard: findLine };
}

describe('the local endpoint and a program', () => {
  it('a program gets retained messages, then new ones, for its filters and no others', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    door.show(retained(STATE, 'one'));
    door.show(retained('tritmesh/node/alpha/trit', '1'));
    door.show(retained('tritmesh/node/alpha/trit', ''));
    door.show(retained('tritmesh/mesh/state', 'old'));
    door.forget('tritmesh/mesh/state');
    const bus = makeBus(stateDir, ['tritmesh/node/+/state', 'tritmesh/node/+/trit', 'tritmesh/mesh/state']);
    const heard = collect(bus, 3);
    bus.connect();
    await untilLink(bus, { state: 'online' });
    door.show({ topic: 'tritmesh/node/alpha/event', payload: 'not asked for', qos: 0, retain: false });
    door.show(retained(STATE, 'two — ünd'));
    door.show(retained(STATE, ''));
    expect(await heard).toEqual([`${STATE} one (retained)`, `${STATE} two — ünd`, `${STATE} `]);
  });

  it('a request to the node arrives byte for byte and is acknowledged', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    const bus = await connectBus(stateDir);
    const payload = `{"text":"ü \\u0000 ${'"'.repeat(30_000)}"}`;
    const heard = collect(door, 1);
    expect(await publishAndWait(bus, { topic: RUN, payload, qos: 1, retain: false })).toBeUndefined();
    expect(await heard).toEqual([`${RUN} ${payload}`]);
  });

  it.each(['tritmesh/node/beta/request/run', 'tritmesh/node/alpha/set/drain', 'tritmesh/work/alpha/i/ack', 'other'])(
    'a message on %s is refused with a reason, and the program stays connected',
    async (topic) => {
      const stateDir = makeDirectory();
      const door = await openDoor(stateDir);
      const bus = await connectBus(stateDir);
      const heard = collect(door, 1);
      const error = await publishAndWait(bus, { topic, payload: 'x', qos: 1, retain: false });
      expect(error?.message).toBe(
        'only tritmesh/node/alpha/request/<verb> may be published here: this is the socket of node alpha',
      );
      expect(await publishAndWait(bus, { topic: RUN, payload: 'y', qos: 1, retain: false })).toBeUndefined();
      expect(await heard).toEqual([`${RUN} y`]);
    },
  );

  it('retained messages that match a filter added later are replayed', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    door.show(retained(STATE, 'one'));
    const bus = await connectBus(stateDir, []);
    const heard = collect(bus, 1);
    bus.subscribe([STATE]);
    expect(await heard).toEqual([`${STATE} one (retained)`]);
  });

  it('the bus is offline with a reason when the node stops, and online when it is back', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    const bus = await connectBus(stateDir);
    const closed = firstValueFrom(bus.link$.pipe(filter((link) => link.state === 'offline')));
    await shut(door);
    expect(await closed).toEqual({ state: 'offline', reason: 'the node closed the connection: the node is stopping' });
    const unsent = await publishAndWait(bus, { topic: RUN, payload: 'x', qos: 1, retain: false });
    expect(unsent?.name).toBe('BusOffline');
    await openDoor(stateDir);
    await untilLink(bus, { state: 'online' });
  });

  it('the bus refuses a node with another id', async () => {
    const stateDir = makeDirectory();
    await openDoor(stateDir);
    const bus = makeBus(stateDir, [], 'beta');
    bus.connect();
    await untilLink(bus, {
      state: 'offline',
      reason: /is alpha with base topic tritmesh, expected beta with base topic tritmesh$/,
    });
  });

  it('the bus reports that no node is running', async () => {
    const stateDir = join(makeDirectory(), 'missing');
    const bus = makeBus(stateDir, []);
    bus.connect();
    await untilLink(bus, { state: 'offline', reason: /^no node is running here \(state directory .*missing/ });
    expect(existsSync(stateDir)).toBe(false);
  });

  it('the bus gives up on a node that does not answer, and retries', async () => {
    const stateDir = makeDirectory();
    mkdirSync(localDirectory(stateDir));
    const mute = createServer().listen(localSocketPath(stateDir));
    await once(mute, 'listening');
    const bus = createLocalBus({ stateDir, node: 'alpha', base: 'tritmesh', answerMs: 50 });
    endings.push(() => closeBus(bus));
    bus.connect();
    await untilLink(bus, { state: 'offline', reason: /does not answer$/ });
    await new Promise((resolve) => mute.close(resolve));
    await openDoor(stateDir);
    await untilLink(bus, { state: 'online' });
  });
});

describe('an item that a program submits', () => {
  it('reaches the node, and each answer reaches the program that it is for', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    door.submissions$.subscribe(({ item, answer }) => answer('no' in item ? 'alpha does not want it' : undefined));
    const one = await connectRaw(stateDir);
    const other = await connectRaw(stateDir);
    one.socket.write('{"type":"submit","id":7,"item":{"no":1}}\n');
    other.socket.write('{"type":"submit","id":7,"item":{}}\n');
    const answers = await Promise.all([one, other].map(({ heard }) => heard('"id":7')));
    expect(answers).toEqual([
      { type: 'refused', id: 7, reason: 'alpha does not want it' },
      { type: 'accepted', id: 7 },
    ]);
  });

  it('may be answered after its program has gone', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    const submitted = firstValueFrom(door.submissions$);
    const { socket, gone } = await connectRaw(stateDir);
    socket.write('{"type":"submit","id":1,"item":{}}\n');
    const { answer } = await submitted;
    socket.destroy();
    await gone;
    answer();
    await connectBus(stateDir);
  });

  it('is announced to programs, with whether the node has its broker', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    const before = await connectRaw(stateDir);
    expect(await before.heard('hello')).toMatchObject({ submit: 1, online: false });
    door.setOnline(true);
    const after = await connectRaw(stateDir);
    expect(await after.heard('hello')).toMatchObject({ submit: 1, online: true });
  });
});

describe('the path of the socket', () => {
  it('the socket is private to the user of the node, and removed when the node has stopped', async () => {
    const stateDir = makeDirectory();
    mkdirSync(localDirectory(stateDir), { mode: 0o755 });
    chmodSync(localDirectory(stateDir), 0o755);
    const door = await openDoor(stateDir);
    expect(lstatSync(localDirectory(stateDir)).mode & 0o777).toBe(0o700);
    expect(lstatSync(localSocketPath(stateDir)).mode & 0o777).toBe(0o600);
    await shut(door);
    expect(existsSync(localSocketPath(stateDir))).toBe(false);
  });

  it.each([
    ['spaces, quotes and letters of any kind', 'a state ünd "quotes"'],
    [
      'a length beyond what sockets allow',
      join(...Array.from({ length: 12 }, (_, at) => `level-${at}`.padEnd(60, 'x'))),
    ],
  ])('the state directory may have %s', async (_title, name) => {
    const stateDir = join(makeDirectory(), name);
    const door = await openDoor(stateDir);
    const bus = await connectBus(stateDir);
    expect(await publishAndWait(bus, { topic: RUN, payload: 'x', qos: 1, retain: false })).toBeUndefined();
    await shut(door);
    expect(existsSync(localSocketPath(stateDir))).toBe(false);
  });

  it('the socket of a dead node is replaced', async () => {
    const stateDir = makeDirectory();
    mkdirSync(localDirectory(stateDir));
    await leaveStaleSocket(localSocketPath(stateDir));
    expect(lstatSync(localSocketPath(stateDir)).isSocket()).toBe(true);
    await openDoor(stateDir);
    await connectBus(stateDir);
  });

  it('the socket of a live node is never replaced, and neither is another kind of file', async () => {
    const stateDir = makeDirectory();
    await openDoor(stateDir);
    const path = localSocketPath(stateDir);
    expect(await opened(makeDoor(stateDir))).toBe(`another program is listening at ${path}`);
    await connectBus(stateDir);

    const other = makeDirectory();
    mkdirSync(localDirectory(other));
    writeFileSync(localSocketPath(other), 'not ours');
    expect(await opened(makeDoor(other))).toBe(`${localSocketPath(other)} exists and is not a socket`);
    expect(existsSync(localSocketPath(other))).toBe(true);
  });
});

describe('a misbehaving program', () => {
  it.each([
    ['a line that is not JSON', Buffer.from('GET / HTTP/1.1\r\n')],
    ['JSON that is not a frame', Buffer.from('{"type":"shutdown"}\n')],
    ['bytes that are not text', Buffer.from([0xff, 0x0a])],
    [
      'far too many filters',
      Buffer.from(`${JSON.stringify({ type: 'subscribe', filters: Array.from({ length: 257 }, String) })}\n`),
    ],
  ])('a program that sends %s is disconnected with a reason and reported, and others stay', async (_title, bytes) => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    const bus = await connectBus(stateDir);
    const counted = firstValueFrom(door.refused$);
    const { socket, gone } = await connectRaw(stateDir);
    socket.write(bytes);
    expect(await gone).toContain('"type":"bye"');
    expect(await counted).not.toBe('');
    expect(await publishAndWait(bus, { topic: RUN, payload: 'x', qos: 1, retain: false })).toBeUndefined();
  });

  it('a program that sends an endless line is disconnected while it is still writing', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    const counted = firstValueFrom(door.refused$);
    const { socket, gone } = await connectRaw(stateDir);
    socket.write(Buffer.alloc(5_000_000, 'x'));
    await gone;
    expect(await counted).toMatch(/^a line has more than \d+ bytes$/);
    await connectBus(stateDir);
  });

  it('a program that does not read is disconnected, and does not keep the node from stopping', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir, 100_000);
    const { socket, gone } = await connectRaw(stateDir);
    socket.write('{"type":"subscribe","filters":["#"]}\n');
    await once(socket, 'data');
    socket.pause();
    const counted = firstValueFrom(door.refused$);
    const other = await connectRaw(stateDir);
    other.socket.write('{"type":"subscribe","filters":["#"]}\n');
    other.socket.pause();
    for (let shown = 0; shown < 50; shown += 1)
      door.show({ topic: 'a', payload: 'x'.repeat(60_000), qos: 0, retain: false });
    expect(await counted).toBe('a program left more than 100000 bytes unread');
    await shut(door);
    socket.resume();
    other.socket.resume();
    await Promise.all([gone, other.gone]);
  });

  it('a program may disconnect in the middle of a line', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    const { socket, gone } = await connectRaw(stateDir);
    socket.write('{"type":"subscribe","filters":["#"]}\n{"type":"pub');
    await once(socket, 'data');
    socket.destroy();
    await gone;
    door.show(retained(STATE, 'one'));
    await connectBus(stateDir);
  });
});

/** Leaves a socket without a listener, as a killed program does. */
async function leaveStaleSocket(path: string): Promise<void> {
  const { spawn } = await import('node:child_process');
  const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const child = spawn(process.execPath, ['-e', program], { cwd: dirname(path) });
  await once(child, 'exit');
}
