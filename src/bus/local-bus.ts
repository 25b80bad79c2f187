/**
 * The bus over the local socket of this machine's node: what the node publishes, and requests to it. It keeps trying
 * while no node is there, and says why there is none. It carries nothing for other nodes.
 */
import { connect, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { NEVER, Subject } from 'rxjs';
import type { Bus, BusMessage, PublishDone } from './bus.js';
import { createLinkState } from './bus-link.js';
import { createLineCutter, readNodeFrame, writeFrame, type NodeFrame } from './local-frames.js';
import { localSocketPath, openSocketAddress, type SocketAddress } from './local-place.js';
import { findPublishFault } from './publish-check.js';

/** Whose node is wanted. */
export interface LocalBusOptions {
  readonly stateDir: string;
  readonly node: string;
  /** Base topic of the mesh. */
  readonly base: string;
  /** How long a node may take to say who it is, and to grant a subscription, ms. Default 2,000. */
  readonly answerMs?: number | undefined;
  /** Is given the URL of the node's broker, each time that the node says who it is. */
  readonly onBroker?: ((url: string) => void) | undefined;
}

const ANSWER_MS = 2000;
/** A socket costs next to nothing to try. */
const AGAIN_MS = 500;

/** Makes a bus; it connects when told so. `done` and `close` never call back from within the call. */
export function createLocalBus(options: LocalBusOptions): Bus {
  const { stateDir, node, base, answerMs = ANSWER_MS } = options;
  const link = createLinkState();
  const messages$ = new Subject<BusMessage>();
  const filters = new Set<string>();
  const pending = new Map<number, PublishDone>();
  let phase: 'new' | 'started' | 'closed' = 'new';
  let socket: Socket | undefined;
  let again: NodeJS.Timeout | undefined;
  let lastId = 0;
  /** Messages that came before the link was said to be online. */
  let held: BusMessage[] = [];

  function dial(): void {
    let address: SocketAddress;
    try {
      address = openSocketAddress(stateDir);
    } catch (error) {
      return lose(describeFailure(error, stateDir));
    }
    const fresh = connect(address.path);
    socket = fresh;
    const cutter = createLineCutter();
    let reason: string | undefined;
    const end = (why: string): void => {
      reason ??= why;
      fresh.destroy();
    };
    const patience = setTimeout(() => end(`the node at ${localSocketPath(stateDir)} does not answer`), answerMs);
    fresh.once('connect', address.release);
    fresh.on('error', (error) => {
      reason ??= describeFailure(error, stateDir);
    });
    fresh.on('data', (chunk) => {
      const { lines, fault } = cutter.cut(chunk);
      for (const line of lines) {
        const read = readNodeFrame(line);
        if (!read.ok || socket !== fresh) continue;
        if (read.frame.type === 'granted') clearTimeout(patience);
        hear(read.frame, end);
      }
      if (fault !== undefined) end(`${localSocketPath(stateDir)} does not speak as a node: ${fault}`);
    });
    fresh.on('close', () => {
      clearTimeout(patience);
      address.release();
      if (socket === fresh) lose(reason ?? `the node of ${stateDir} hung up`);
    });
  }

  function hear(frame: NodeFrame, end: (why: string) => void): void {
    switch (frame.type) {
      case 'hello':
        if (frame.node !== node || frame.base !== base) {
          return end(`the node of ${stateDir} is ${frame.node} below ${frame.base}, not ${node} below ${base}`);
        }
        if (frame.broker !== undefined) options.onBroker?.(frame.broker);
        socket?.write(writeFrame({ type: 'subscribe', filters: [...filters] }));
        return;
      case 'granted':
        link.sayOnline();
        for (const message of held.splice(0)) messages$.next(message);
        return;
      case 'message': {
        const { topic, payload, retained } = frame;
        const message = { topic, payload: Buffer.from(payload), retained };
        if (link.isOnline()) messages$.next(message);
        else held.push(message);
        return;
      }
      case 'taken':
        return answer(frame.id, undefined);
      case 'refused':
        return answer(frame.id, new Error(frame.reason));
      case 'bye':
        return end(`the node hung up: ${frame.reason}`);
    }
  }

  function answer(id: number, error: Error | undefined): void {
    const done = pending.get(id);
    pending.delete(id);
    done?.(error);
  }

  function lose(reason: string): void {
    socket = undefined;
    held = [];
    for (const id of pending.keys()) answer(id, new Error(`no answer before the connection ended: ${reason}`));
    if (phase !== 'started') return;
    link.sayOffline(reason);
    again = setTimeout(dial, AGAIN_MS);
    // Waiting for a node is no reason for a program to live on.
    again.unref();
  }

  return {
    link$: link.link$,
    messages$: messages$.asObservable(),
    // The node tells with each publish whether it took it.
    refused$: NEVER,
    connect() {
      if (phase !== 'new') return;
      phase = 'started';
      dial();
    },
    // Nothing is retained for the programs of one machine but what their node says.
    forget: () => undefined,
    subscribe(wanted) {
      const added = wanted.filter((filter) => !filters.has(filter));
      for (const filter of added) filters.add(filter);
      if (link.isOnline() && added.length > 0) socket?.write(writeFrame({ type: 'subscribe', filters: added }));
    },
    publish(message, done) {
      const fault = findPublishFault(message);
      if (fault !== undefined || socket === undefined || !link.isOnline()) {
        return queueMicrotask(() => done?.(fault ?? link.describeOffline()));
      }
      lastId += 1;
      if (done !== undefined) pending.set(lastId, done);
      socket.write(writeFrame({ type: 'publish', id: lastId, topic: message.topic, payload: message.payload }));
    },
    close(done) {
      phase = 'closed';
      clearTimeout(again);
      const open = socket;
      if (open !== undefined) open.destroy();
      else queueMicrotask(done);
      open?.once('close', done);
      link.sayOffline('closed');
    },
  };
}

/** A sentence without its end: it stands beside why the broker is not there. */
function describeFailure(error: unknown, stateDir: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ECONNREFUSED':
      return `no node runs here (state directory ${stateDir}; "tritmesh up" starts one)`;
    case 'EACCES':
    case 'EPERM':
      return `the node here takes no commands of user ${nameUser()} (permission denied at ${localSocketPath(stateDir)})`;
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function nameUser(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may have no name.
    return String(process.geteuid?.() ?? 'unknown');
  }
}
