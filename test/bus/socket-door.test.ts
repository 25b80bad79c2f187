/**
 * The local socket with both of its ends: what passes, who is let in, what is left behind, and what a bad program can
 * do.
 */
import { chmodSync, existsSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { filter, firstValueFrom, take, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Bus, BusMessage, BusPublish } from '../../src/bus/bus.js';
import { createLocalBus } from '../../src/bus/local-bus.js';
import type { LocalDoor } from '../../src/bus/local-door.js';
import { localDirectory, localSocketPath } from '../../src/bus/local-place.js';
import { createSocketDoor } from '../../src/bus/socket-door.js';
import { temporaryDirectories } from '../temporary-directory.js';
import { closeBus, say, untilLink } from './link.js';

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

async function enter(stateDir: string, filters: readonly string[] = ['tritmesh/#']): Promise<Bus> {
  const bus = makeBus(stateDir, filters);
  bus.connect();
  await untilLink(bus, { state: 'online' });
  return bus;
}

function hear(bus: Pick<Bus, 'messages$'>, count: number): Promise<readonly string[]> {
  const text = ({ topic, payload, retained }: BusMessage): string =>
    `${topic} ${Buffer.from(payload).toString()}${retained ? ' (retained)' : ''}`;
  return firstValueFrom(bus.messages$.pipe(take(count), toArray())).then((heard) => heard.map(text));
}

function retained(topic: string, payload: string): BusPublish {
  return { topic, payload, qos: 1, retain: true };
}

/** A program that knows nothing of frames. */
async function knock(stateDir: string): Promise<{ socket: Socket; gone: Promise<string> }> {
  const socket = connect(localSocketPath(stateDir));
  let heard = '';
  socket.on('data', (chunk) => (heard += chunk.toString()));
  socket.on('error', () => undefined);
  const gone = new Promise<string>((resolve) => socket.once('close', () => resolve(heard)));
  await once(socket, 'connect');
  return { socket, gone };
}

describe('a door and a program', () => {
  it('shows what is retained, then what comes, of the filters asked for and of no others', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    door.show(retained(STATE, 'one'));
    door.show(retained('tritmesh/node/alpha/trit', '1'));
    door.show(retained('tritmesh/node/alpha/trit', ''));
    door.show(retained('tritmesh/mesh/state', 'old'));
    door.forget('tritmesh/mesh/state');
    const bus = makeBus(stateDir, ['tritmesh/node/+/state', 'tritmesh/node/+/trit', 'tritmesh/mesh/state']);
    const heard = hear(bus, 3);
    bus.connect();
    await untilLink(bus, { state: 'online' });
    door.show({ topic: 'tritmesh/node/alpha/event', payload: 'not asked for', qos: 0, retain: false });
    door.show(retained(STATE, 'two — ünd'));
    door.show(retained(STATE, ''));
    expect(await heard).toEqual([`${STATE} one (retained)`, `${STATE} two — ünd`, `${STATE} `]);
  });

  it('takes requests to its node, byte for byte, and says when it has them', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    const bus = await enter(stateDir);
    const payload = `{"text":"ü \\u0000 ${'"'.repeat(30_000)}"}`;
    const heard = hear(door, 1);
    expect(await say(bus, { topic: RUN, payload, qos: 1, retain: false })).toBeUndefined();
    expect(await heard).toEqual([`${RUN} ${payload}`]);
  });

  it.each(['tritmesh/node/beta/request/run', 'tritmesh/node/alpha/set/drain', 'tritmesh/work/alpha/i/ack', 'other'])(
    'refuses a message on %s with a sentence, and the program stays',
    async (topic) => {
      const stateDir = makeDirectory();
      const door = await openDoor(stateDir);
      const bus = await enter(stateDir);
      const heard = hear(door, 1);
      const error = await say(bus, { topic, payload: 'x', qos: 1, retain: false });
      expect(error?.message).toBe(
        'only tritmesh/node/alpha/request/<verb> may be published here: it is the socket of node alpha',
      );
      expect(await say(bus, { topic: RUN, payload: 'y', qos: 1, retain: false })).toBeUndefined();
      expect(await heard).toEqual([`${RUN} y`]);
    },
  );

  it('replays what is retained under a filter that is added later', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    door.show(retained(STATE, 'one'));
    const bus = await enter(stateDir, []);
    const heard = hear(bus, 1);
    bus.subscribe([STATE]);
    expect(await heard).toEqual([`${STATE} one (retained)`]);
  });

  it('ends with a reason when the node stops, and goes on when the node is there again', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    const bus = await enter(stateDir);
    const hungUp = firstValueFrom(bus.link$.pipe(filter((link) => link.state === 'offline')));
    await shut(door);
    expect(await hungUp).toEqual({ state: 'offline', reason: 'the node hung up: the node stops' });
    const unsent = await say(bus, { topic: RUN, payload: 'x', qos: 1, retain: false });
    expect(unsent?.name).toBe('BusOffline');
    await openDoor(stateDir);
    await untilLink(bus, { state: 'online' });
  });

  it('does not speak to the node of another id', async () => {
    const stateDir = makeDirectory();
    await openDoor(stateDir);
    const bus = makeBus(stateDir, [], 'beta');
    bus.connect();
    await untilLink(bus, { state: 'offline', reason: /is alpha below tritmesh, not beta below tritmesh$/ });
  });

  it('says where no node runs', async () => {
    const stateDir = join(makeDirectory(), 'never made');
    const bus = makeBus(stateDir, []);
    bus.connect();
    await untilLink(bus, { state: 'offline', reason: /^no node runs here \(state directory .*never made/ });
    expect(existsSync(stateDir)).toBe(false);
  });

  it('gives a node that does not answer up, and tries again', async () => {
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

describe('the place of the socket', () => {
  it('is for the user of the node alone, and empty when the node has stopped', async () => {
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
    ['spaces and letters of all kinds', 'a state ünd "quotes"'],
    ['a length that no socket may have', join(...Array.from({ length: 12 }, (_, at) => `level-${at}`.padEnd(60, 'x')))],
  ])('may have %s', async (_title, name) => {
    const stateDir = join(makeDirectory(), name);
    const door = await openDoor(stateDir);
    const bus = await enter(stateDir);
    expect(await say(bus, { topic: RUN, payload: 'x', qos: 1, retain: false })).toBeUndefined();
    await shut(door);
    expect(existsSync(localSocketPath(stateDir))).toBe(false);
  });

  it('is taken over from a node that died', async () => {
    const stateDir = makeDirectory();
    mkdirSync(localDirectory(stateDir));
    await leaveSocket(localSocketPath(stateDir));
    expect(lstatSync(localSocketPath(stateDir)).isSocket()).toBe(true);
    await openDoor(stateDir);
    await enter(stateDir);
  });

  it('is never taken from a node that lives, nor from what is no socket', async () => {
    const stateDir = makeDirectory();
    await openDoor(stateDir);
    const path = localSocketPath(stateDir);
    expect(await opened(makeDoor(stateDir))).toBe(`another program listens at ${path}`);
    await enter(stateDir);

    const other = makeDirectory();
    mkdirSync(localDirectory(other));
    writeFileSync(localSocketPath(other), 'of somebody');
    expect(await opened(makeDoor(other))).toBe(`${localSocketPath(other)} is there and is no socket`);
    expect(existsSync(localSocketPath(other))).toBe(true);
  });
});

describe('a program that does not keep to it', () => {
  it.each([
    ['no JSON', Buffer.from('GET / HTTP/1.1\r\n')],
    ['JSON that is no frame', Buffer.from('{"type":"shutdown"}\n')],
    ['bytes that are no text', Buffer.from([0xff, 0x0a])],
    [
      'far too many filters',
      Buffer.from(`${JSON.stringify({ type: 'subscribe', filters: Array.from({ length: 257 }, String) })}\n`),
    ],
  ])('is sent away with a word for %s; the others stay and it is counted', async (_title, bytes) => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    const bus = await enter(stateDir);
    const counted = firstValueFrom(door.refused$);
    const { socket, gone } = await knock(stateDir);
    socket.write(bytes);
    expect(await gone).toContain('"type":"bye"');
    expect(await counted).not.toBe('');
    expect(await say(bus, { topic: RUN, payload: 'x', qos: 1, retain: false })).toBeUndefined();
  });

  it('is sent away for a line without an end, while it still writes', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    const counted = firstValueFrom(door.refused$);
    const { socket, gone } = await knock(stateDir);
    socket.write(Buffer.alloc(5_000_000, 'x'));
    await gone;
    expect(await counted).toMatch(/^a line has more than \d+ bytes$/);
    await enter(stateDir);
  });

  it('is cut off when it does not read, and the node stops all the same', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir, 100_000);
    const { socket, gone } = await knock(stateDir);
    socket.write('{"type":"subscribe","filters":["#"]}\n');
    await once(socket, 'data');
    socket.pause();
    const counted = firstValueFrom(door.refused$);
    const other = await knock(stateDir);
    other.socket.write('{"type":"subscribe","filters":["#"]}\n');
    other.socket.pause();
    for (let shown = 0; shown < 50; shown += 1)
      door.show({ topic: 'a', payload: 'x'.repeat(60_000), qos: 0, retain: false });
    expect(await counted).toBe('a program did not read 100000 bytes that were for it');
    await shut(door);
    socket.resume();
    other.socket.resume();
    await Promise.all([gone, other.gone]);
  });

  it('may go in the middle of a word', async () => {
    const stateDir = makeDirectory();
    const door = await openDoor(stateDir);
    const { socket, gone } = await knock(stateDir);
    socket.write('{"type":"subscribe","filters":["#"]}\n{"type":"pub');
    await once(socket, 'data');
    socket.destroy();
    await gone;
    door.show(retained(STATE, 'one'));
    await enter(stateDir);
  });
});

/** A socket that nobody listens at any more, as a killed program leaves it. */
async function leaveSocket(path: string): Promise<void> {
  const { spawn } = await import('node:child_process');
  const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const child = spawn(process.execPath, ['-e', program], { cwd: dirname(path) });
  await once(child, 'exit');
}
