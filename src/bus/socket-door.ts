/**
 * The local door as a unix socket that only the node's own user may open. It takes what a dead node left behind and
 * never what a live one holds. What a program sends that is no frame ends that one connection; a program that reads too
 * slowly is sent away; neither holds up the node.
 */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Subject } from 'rxjs';
import { MESSAGE_BYTES_MAX, TOPIC_BYTES_MAX } from '../protocol/limits.js';
import type { BusMessage, BusPublish } from './bus.js';
import type { LocalDoor } from './local-door.js';
import { createLineCutter, readProgramFrame, writeFrame, type NodeFrame, type ProgramFrame } from './local-frames.js';
import { localSocketPath, makeLocalDirectory, openSocketAddress, type SocketAddress } from './local-place.js';
import { createRetainedCache } from './retained-cache.js';
import { matchesFilter } from './topic-filter.js';

/** Whose door it is. */
export interface SocketDoorOptions {
  readonly stateDir: string;
  readonly node: string;
  /** Base topic of the mesh. */
  readonly base: string;
  /** URL of the node's broker: a program that looks elsewhere is told. */
  readonly broker?: string | undefined;
  /** Bytes that may wait for one slow program. Default 4 MiB. */
  readonly backlogBytesMax?: number | undefined;
}

/** Programs that may be inside at once; each `tritmesh run` that waits is one. */
const PROGRAMS_MAX = 1024;
/** Filters of one program. */
const FILTERS_MAX = 256;
const BACKLOG_BYTES_MAX: number = 4 * 1024 * 1024;

interface Program {
  readonly socket: Socket;
  readonly filters: Set<string>;
}

/** Makes a door that is shut. */
export function createSocketDoor(options: SocketDoorOptions): LocalDoor {
  const { stateDir, node, base, broker, backlogBytesMax = BACKLOG_BYTES_MAX } = options;
  const messages$ = new Subject<BusMessage>();
  const refused$ = new Subject<string>();
  const programs = new Set<Program>();
  const cache = createRetainedCache();
  const requests = `${base}/node/${node}/request/`;
  let server: Server | undefined;
  let address: SocketAddress | undefined;

  function welcome(socket: Socket): void {
    const program: Program = { socket, filters: new Set() };
    const cutter = createLineCutter();
    // A program that went away in the midst of a word is no fault of anybody.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => programs.delete(program));
    if (programs.size >= PROGRAMS_MAX) return sendAway(program, `${PROGRAMS_MAX} programs are here already`);
    programs.add(program);
    say(program, { type: 'hello', node, base, broker });
    socket.on('data', (chunk) => {
      const { lines, fault } = cutter.cut(chunk);
      for (const line of lines) if (programs.has(program)) hear(program, line);
      if (fault !== undefined) sendAway(program, fault);
    });
  }

  function hear(program: Program, line: string): void {
    const read = readProgramFrame(line);
    if (!read.ok) return sendAway(program, read.reason);
    if (read.frame.type === 'subscribe') subscribe(program, read.frame.filters);
    else take(program, read.frame);
  }

  function subscribe(program: Program, wanted: readonly string[]): void {
    const added = wanted.filter((filter) => !program.filters.has(filter));
    if (program.filters.size + added.length > FILTERS_MAX || added.some((one) => one.length > TOPIC_BYTES_MAX)) {
      return sendAway(program, `it asks for more than ${FILTERS_MAX} filters, or for one that is too long`);
    }
    for (const filter of added) program.filters.add(filter);
    for (const { topic, payload } of cache.list()) {
      if (fits(added, topic)) say(program, { type: 'message', topic, payload, retained: true });
    }
    say(program, { type: 'granted' });
  }

  function take(program: Program, { id, topic, payload }: ProgramFrame & { readonly type: 'publish' }): void {
    const bytes = Buffer.from(payload);
    const reason = findFault(topic, bytes.byteLength);
    say(program, reason === undefined ? { type: 'taken', id } : { type: 'refused', id, reason });
    if (reason === undefined) messages$.next({ topic, payload: bytes, retained: false });
  }

  function findFault(topic: string, bytes: number): string | undefined {
    if (!topic.startsWith(requests) || Buffer.byteLength(topic) > TOPIC_BYTES_MAX) {
      return `only ${requests}<verb> may be published here: it is the socket of node ${node}`;
    }
    return bytes <= MESSAGE_BYTES_MAX ? undefined : `the payload has ${bytes} bytes, at most ${MESSAGE_BYTES_MAX}`;
  }

  function say(program: Program, frame: NodeFrame): void {
    write(program, writeFrame(frame));
  }

  function write(program: Program, line: string): void {
    const { socket } = program;
    if (socket.destroyed || !socket.writable) return;
    socket.write(line);
    if (socket.writableLength <= backlogBytesMax) return;
    programs.delete(program);
    socket.destroy();
    refused$.next(`a program did not read ${backlogBytesMax} bytes that were for it`);
  }

  function sendAway(program: Program, reason: string): void {
    programs.delete(program);
    const { socket } = program;
    socket.removeAllListeners('data');
    // A program that goes on writing must not be kept from hearing the end.
    socket.resume();
    part(socket, reason);
    refused$.next(reason);
  }

  function listen(done: (fault: string | undefined) => void): void {
    const fresh = createServer(welcome);
    server = fresh;
    fresh.once('error', (error) => done(error.message));
    fresh.listen(address?.path, () => {
      fresh.removeAllListeners('error');
      fresh.on('error', (error) => refused$.next(error.message));
      done(guard(() => chmodSync(address?.path ?? '', 0o600)));
    });
  }

  return {
    messages$,
    refused$,
    open(done) {
      const fault = guard(() => {
        makeLocalDirectory(stateDir);
        address = openSocketAddress(stateDir);
      });
      if (fault !== undefined || address === undefined) return queueMicrotask(() => done(fault));
      clearPlace(address.path, localSocketPath(stateDir), (inTheWay) =>
        inTheWay === undefined ? listen(done) : done(inTheWay),
      );
    },
    show(message: BusPublish) {
      cache.remember(message);
      cache.settle(message);
      const { topic, payload } = message;
      let line: string | undefined;
      for (const program of programs) {
        if (!fits(program.filters, topic)) continue;
        line ??= writeFrame({ type: 'message', topic, payload, retained: false });
        write(program, line);
      }
    },
    forget: cache.forget,
    close(done) {
      for (const { socket } of programs) part(socket, 'the node stops');
      programs.clear();
      const finish = (): void => {
        address?.release();
        done();
      };
      // A server that does not listen calls back with an error, which says just that.
      if (server === undefined) queueMicrotask(finish);
      else server.close(finish);
    },
  };
}

/** The last word is said where it can be said at once: nobody who does not read keeps the node waiting. */
function part(socket: Socket, reason: string): void {
  socket.end(writeFrame({ type: 'bye', reason }));
  if (socket.writableLength === 0) socket.destroySoon();
  else socket.destroy();
}

function fits(filters: Iterable<string>, topic: string): boolean {
  for (const filter of filters) if (matchesFilter(filter, topic)) return true;
  return false;
}

/** Removes the socket of a node that is dead: nobody answers there. What answers, or is no socket, is in the way. */
function clearPlace(path: string, name: string, done: (inTheWay: string | undefined) => void): void {
  let isSocket: boolean | undefined;
  const fault = guard(() => {
    isSocket = lstatSync(path, { throwIfNoEntry: false })?.isSocket();
  });
  if (fault !== undefined || isSocket === undefined) return queueMicrotask(() => done(fault));
  if (!isSocket) return queueMicrotask(() => done(`${name} is there and is no socket`));
  const probe = connect(path);
  probe.once('connect', () => {
    probe.destroy();
    done(`another program listens at ${name}`);
  });
  probe.once('error', (error: NodeJS.ErrnoException) => {
    done(error.code === 'ECONNREFUSED' ? guard(() => unlinkSync(path)) : error.message);
  });
}

function guard(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
