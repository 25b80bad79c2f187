/**
 * The bus over the local socket of this machine's node: it carries what the node publishes, and requests to the node.
 * It keeps retrying while no node is running, and reports why there is none. It carries nothing for other nodes.
 */
import { connect, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { NEVER, Subject } from 'rxjs';
import { describeError, errorCode } from '../../os/errors.js';
import type { Bus, BusMessage, PublishDone } from '../bus.js';
import { createLinkState } from '../bus-link.js';
import { createLineCutter, readNodeFrame, writeFrame, type NodeFrame } from './local-frames.js';
import { localSocketPath, openSocketAddress, type SocketAddress } from './local-place.js';
import { findPublishFault } from '../publish-check.js';

/** Which node to connect to. */
export interface LocalBusOptions {
  readonly stateDir: string;
  readonly node: string;
  /** Base topic of the mesh. */
  readonly base: string;
  /** How long a node may take to introduce itself and to grant a subscription, ms. Default 2,000. */
  readonly answerMs?: number | undefined;
  /** Called with the URL of the node's broker each time the node introduces itself. */
  readonly onBroker?: ((url: string) => void) | undefined;
}

const ANSWER_MS = 2000;
/** Short, because trying a local socket costs almost nothing. */
const RETRY_MS = 500;

/** Creates a bus that is not connected yet. `done` and `close` never call back from within the call. */
export function createLocalBus(options: LocalBusOptions): Bus {
  const { stateDir, node, base, answerMs = ANSWER_MS } = options;
  const link = createLinkState();
  const messages$ = new Subject<BusMessage>();
  const filters = new Set<string>();
  const pending = new Map<number, PublishDone>();
  let phase: 'new' | 'started' | 'closed' = 'new';
  let socket: Socket | undefined;
  let retryTimer: NodeJS.Timeout | undefined;
  let lastId = 0;
  /** Messages that arrived before the link was reported as online. */
  let held: BusMessage[] = [];

  function dial(): void {
    let address: SocketAddress;
    try {
      address = openSocketAddress(stateDir);
    } catch (error) {
      return handleDisconnect(describeFailure(error, stateDir));
    }
    const fresh = connect(address.path);
    socket = fresh;
    const cutter = createLineCutter();
    let reason: string | undefined;
    const end = (why: string): void => {
      reason ??= why;
      fresh.destroy();
    };
    const answerTimer = setTimeout(() => end(`the node at ${localSocketPath(stateDir)} does not answer`), answerMs);
    fresh.once('connect', address.release);
    fresh.on('error', (error) => {
      reason ??= describeFailure(error, stateDir);
    });
    fresh.on('data', (chunk) => {
      const { lines, fault } = cutter.cut(chunk);
      for (const line of lines) {
        const read = readNodeFrame(line);
        if (!read.ok || socket !== fresh) continue;
        if (read.frame.type === 'granted') clearTimeout(answerTimer);
        handleFrame(read.frame, end);
      }
      if (fault !== undefined) end(`${localSocketPath(stateDir)} does not speak the protocol of a node: ${fault}`);
    });
    fresh.on('close', () => {
      clearTimeout(answerTimer);
      address.release();
      if (socket === fresh) handleDisconnect(reason ?? `the node in ${stateDir} closed the connection`);
    });
  }

  function handleFrame(frame: NodeFrame, end: (why: string) => void): void {
    switch (frame.type) {
      case 'hello':
        if (frame.node !== node || frame.base !== base) {
          return end(
            `the node in ${stateDir} is ${frame.node} with base topic ${frame.base}, expected ${node} with base topic ${base}`,
          );
        }
        if (frame.broker !== undefined) options.onBroker?.(frame.broker);
        socket?.write(writeFrame({ type: 'subscribe', filters: [...filters] }));
        return;
      case 'granted':
        link.reportOnline();
        for (const message of held.splice(0)) messages$.next(message);
        return;
      case 'message': {
        const { topic, payload, retained } = frame;
        const message = { topic, payload: Buffer.from(payload), retained };
        if (link.isOnline()) messages$.next(message);
        else held.push(message);
        return;
      }
      case 'accepted':
        // Submissions are sent without a bus.
        return;
      case 'taken':
        return answer(frame.id, undefined);
      case 'refused':
        return answer(frame.id, new Error(frame.reason));
      case 'bye':
        return end(`the node closed the connection: ${frame.reason}`);
    }
  }

  function answer(id: number, error: Error | undefined): void {
    const done = pending.get(id);
    pending.delete(id);
    done?.(error);
  }

  function handleDisconnect(reason: string): void {
    socket = undefined;
    held = [];
    for (const id of pending.keys()) answer(id, new Error(`no answer before the connection ended: ${reason}`));
    if (phase !== 'started') return;
    link.reportOffline(reason);
    retryTimer = setTimeout(dial, RETRY_MS);
    // Waiting for a node must not keep the program running.
    retryTimer.unref();
  }

  return {
    link$: link.link$,
    messages$: messages$.asObservable(),
    // The node answers each publish, so a refusal arrives in its `done`.
    refused$: NEVER,
    connect() {
      if (phase !== 'new') return;
      phase = 'started';
      dial();
    },
    // Programs publish nothing retained here: only the node does.
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
      clearTimeout(retryTimer);
      const open = socket;
      if (open !== undefined) open.destroy();
      else queueMicrotask(done);
      open?.once('close', done);
      link.reportOffline('closed');
    },
  };
}

/** A clause rather than a whole sentence: it is shown next to the reason why the broker cannot be reached. */
function describeFailure(error: unknown, stateDir: string): string {
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ECONNREFUSED':
      return `no node is running here (state directory ${stateDir}; "tritmesh up" starts one)`;
    case 'EACCES':
    case 'EPERM':
      return `the node here does not accept commands from user ${nameUser()} (permission denied at ${localSocketPath(stateDir)})`;
    default:
      return describeError(error);
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
