/**
 * The local endpoint as a Unix socket that only the node's own user may open. It replaces the socket that a dead node
 * left behind, never that of a live one. A program that sends anything but frames, or reads too slowly, is
 * disconnected; neither delays the node.
 */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Subject } from 'rxjs';
import { describeError } from '../../os/errors.js';
import { MESSAGE_BYTES_MAX, TOPIC_BYTES_MAX } from '../../protocol/limits.js';
import type { BusMessage, BusPublish } from '../bus.js';
import type { LocalDoor, LocalSubmission } from '../local-door.js';
import {
  createLineCutter,
  readProgramFrame,
  SUBMIT_PROTOCOL,
  writeFrame,
  type NodeFrame,
  type ProgramFrame,
} from './local-frames.js';
import { localSocketPath, createLocalDirectory, openSocketAddress, type SocketAddress } from './local-place.js';
import { createRetainedCache } from '../retained-cache.js';
import { matchesFilter } from '../topic-filter.js';

/** Which node this is the socket of. */
export interface SocketDoorOptions {
  readonly stateDir: string;
  readonly node: string;
  /** Base topic of the mesh. */
  readonly base: string;
  /** URL of the node's broker: lets a program notice that it is configured for another one. */
  readonly broker?: string | undefined;
  /** Bytes that may be buffered for one slow program. Default 4 MiB. */
  readonly backlogBytesMax?: number | undefined;
}

/** Programs that may be connected at once; each waiting `tritmesh run` is one. */
const PROGRAMS_MAX = 1024;
/** Filters that one program may subscribe to. */
const FILTERS_MAX = 256;
const BACKLOG_BYTES_MAX: number = 4 * 1024 * 1024;

interface Program {
  readonly socket: Socket;
  readonly filters: Set<string>;
}

/** Creates the endpoint; it accepts nobody before `open`. */
export function createSocketDoor(options: SocketDoorOptions): LocalDoor {
  const { stateDir, node, base, broker, backlogBytesMax = BACKLOG_BYTES_MAX } = options;
  const messages$ = new Subject<BusMessage>();
  const submissions$ = new Subject<LocalSubmission>();
  const refused$ = new Subject<string>();
  const programs = new Set<Program>();
  const cache = createRetainedCache();
  const requests = `${base}/node/${node}/request/`;
  let isOnline = false;
  let server: Server | undefined;
  let address: SocketAddress | undefined;

  function handleConnection(socket: Socket): void {
    const program: Program = { socket, filters: new Set() };
    const cutter = createLineCutter();
    // A program that disconnects in the middle of a line is nothing to report.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => programs.delete(program));
    if (programs.size >= PROGRAMS_MAX) return disconnect(program, `${PROGRAMS_MAX} programs are connected already`);
    programs.add(program);
    send(program, { type: 'hello', node, base, broker, submit: SUBMIT_PROTOCOL, online: isOnline });
    socket.on('data', (chunk) => {
      const { lines, fault } = cutter.cut(chunk);
      for (const line of lines) if (programs.has(program)) handleLine(program, line);
      if (fault !== undefined) disconnect(program, fault);
    });
  }

  function handleLine(program: Program, line: string): void {
    const read = readProgramFrame(line);
    if (!read.ok) return disconnect(program, read.reason);
    const { frame } = read;
    if (frame.type === 'subscribe') subscribe(program, frame.filters);
    else if (frame.type === 'submit') handleSubmit(program, frame);
    else handlePublish(program, frame);
  }

  function handleSubmit(program: Program, { id, item }: ProgramFrame & { readonly type: 'submit' }): void {
    const answer = (reason?: string): void =>
      send(program, reason === undefined ? { type: 'accepted', id } : { type: 'refused', id, reason });
    submissions$.next({ item, answer });
  }

  function subscribe(program: Program, wanted: readonly string[]): void {
    const added = wanted.filter((filter) => !program.filters.has(filter));
    if (program.filters.size + added.length > FILTERS_MAX || added.some((one) => one.length > TOPIC_BYTES_MAX)) {
      return disconnect(
        program,
        `it subscribed to more than ${FILTERS_MAX} filters, or to one longer than ${TOPIC_BYTES_MAX} characters`,
      );
    }
    for (const filter of added) program.filters.add(filter);
    for (const { topic, payload } of cache.list()) {
      if (matchesAny(added, topic)) send(program, { type: 'message', topic, payload, retained: true });
    }
    send(program, { type: 'granted' });
  }

  function handlePublish(program: Program, { id, topic, payload }: ProgramFrame & { readonly type: 'publish' }): void {
    const bytes = Buffer.from(payload);
    const reason = findFault(topic, bytes.byteLength);
    send(program, reason === undefined ? { type: 'taken', id } : { type: 'refused', id, reason });
    if (reason === undefined) messages$.next({ topic, payload: bytes, retained: false });
  }

  function findFault(topic: string, bytes: number): string | undefined {
    if (!topic.startsWith(requests) || Buffer.byteLength(topic) > TOPIC_BYTES_MAX) {
      return `only ${requests}<verb> may be published here: this is the socket of node ${node}`;
    }
    return bytes <= MESSAGE_BYTES_MAX
      ? undefined
      : `the payload has ${bytes} bytes, at most ${MESSAGE_BYTES_MAX} may be published`;
  }

  function send(program: Program, frame: NodeFrame): void {
    write(program, writeFrame(frame));
  }

  function write(program: Program, line: string): void {
    const { socket } = program;
    if (socket.destroyed || !socket.writable) return;
    socket.write(line);
    if (socket.writableLength <= backlogBytesMax) return;
    programs.delete(program);
    socket.destroy();
    refused$.next(`a program left more than ${backlogBytesMax} bytes unread`);
  }

  function disconnect(program: Program, reason: string): void {
    programs.delete(program);
    const { socket } = program;
    socket.removeAllListeners('data');
    // Keep reading: a program that is still writing would otherwise never see the end.
    socket.resume();
    hangUp(socket, reason);
    refused$.next(reason);
  }

  function listen(done: (fault: string | undefined) => void): void {
    const fresh = createServer(handleConnection);
    server = fresh;
    fresh.once('error', (error) => done(error.message));
    fresh.listen(address?.path, () => {
      fresh.removeAllListeners('error');
      fresh.on('error', (error) => refused$.next(error.message));
      done(attempt(() => chmodSync(address?.path ?? '', 0o600)));
    });
  }

  return {
    messages$,
    submissions$,
    refused$,
    setOnline: (online) => {
      isOnline = online;
    },
    open(done) {
      const fault = attempt(() => {
        createLocalDirectory(stateDir);
        address = openSocketAddress(stateDir);
      });
      if (fault !== undefined || address === undefined) return queueMicrotask(() => done(fault));
      removeStaleSocket(address.path, localSocketPath(stateDir), (inTheWay) =>
        inTheWay === undefined ? listen(done) : done(inTheWay),
      );
    },
    show(message: BusPublish) {
      cache.remember(message);
      cache.settle(message);
      const { topic, payload } = message;
      let line: string | undefined;
      for (const program of programs) {
        if (!matchesAny(program.filters, topic)) continue;
        line ??= writeFrame({ type: 'message', topic, payload, retained: false });
        write(program, line);
      }
    },
    forget: cache.forget,
    close(done) {
      for (const { socket } of programs) hangUp(socket, 'the node is stopping');
      programs.clear();
      const finish = (): void => {
        address?.release();
        done();
      };
      // A server that never listened calls back with an error, which says only that.
      if (server === undefined) queueMicrotask(finish);
      else server.close(finish);
    },
  };
}

/** Sends the reason only if it can be written at once: a program that does not read must not delay the node. */
function hangUp(socket: Socket, reason: string): void {
  socket.end(writeFrame({ type: 'bye', reason }));
  if (socket.writableLength === 0) socket.destroySoon();
  else socket.destroy();
}

function matchesAny(filters: Iterable<string>, topic: string): boolean {
  for (const filter of filters) if (matchesFilter(filter, topic)) return true;
  return false;
}

/** Removes the socket of a dead node: nobody answers there. Anything that answers or is not a socket is in the way. */
function removeStaleSocket(path: string, name: string, done: (inTheWay: string | undefined) => void): void {
  let isSocket: boolean | undefined;
  const fault = attempt(() => {
    isSocket = lstatSync(path, { throwIfNoEntry: false })?.isSocket();
  });
  if (fault !== undefined || isSocket === undefined) return queueMicrotask(() => done(fault));
  if (!isSocket) return queueMicrotask(() => done(`${name} exists and is not a socket`));
  const probe = connect(path);
  probe.once('connect', () => {
    probe.destroy();
    done(`another program is listening at ${name}`);
  });
  probe.once('error', (error: NodeJS.ErrnoException) => {
    done(error.code === 'ECONNREFUSED' ? attempt(() => unlinkSync(path)) : error.message);
  });
}

function attempt(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}
