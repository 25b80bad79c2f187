/**
 * Submits one item over the local socket and follows it, without a bus: a command that does only this must start
 * quickly, so nothing but the socket is loaded.
 */
import { connect } from 'node:net';
import { createLineCutter, readNodeFrame, writeFrame, type Hello, type NodeFrame } from './local-frames.js';
import { openSocketAddress, type SocketAddress } from './local-place.js';

/** The item, and what to be shown of it. */
export interface SubmitOrder {
  readonly item: object;
  readonly filters: readonly string[];
}

/** What happens on the line; nothing is called from within {@link openSubmitLine}, nor after `gone` or `close`. */
export interface SubmitLineEvents {
  /** The node has introduced itself: what to submit there, or `undefined` to leave. */
  order(hello: Hello): SubmitOrder | undefined;
  accepted(): void;
  refused(reason: string): void;
  message(topic: string, payload: string): void;
  /** The line has ended, or nobody answered; called once. */
  gone(): void;
}

/** An open line. */
export interface SubmitLine {
  close(): void;
}

/** How long the node may take to introduce itself, ms. A command has another way, so this is short. */
const HELLO_MS = 1000;
const SUBMIT_ID = 1;

/** Opens a line to the node in a state directory. */
export function openSubmitLine(stateDir: string, events: SubmitLineEvents): SubmitLine {
  let isOpen = true;
  let address: SocketAddress;
  try {
    address = openSocketAddress(stateDir);
  } catch {
    queueMicrotask(() => {
      if (isOpen) events.gone();
    });
    return {
      close: () => {
        isOpen = false;
      },
    };
  }
  const socket = connect(address.path);
  const cutter = createLineCutter();
  const timer = setTimeout(() => end(), HELLO_MS);

  function end(): void {
    const wasOpen = isOpen;
    close();
    if (wasOpen) events.gone();
  }

  function close(): void {
    isOpen = false;
    clearTimeout(timer);
    socket.destroy();
  }

  function handle(frame: NodeFrame): void {
    switch (frame.type) {
      case 'hello':
        return introduce(frame);
      case 'accepted':
        return events.accepted();
      case 'refused':
        return events.refused(frame.reason);
      case 'message':
        return events.message(frame.topic, frame.payload);
      case 'bye':
        return end();
      default:
    }
  }

  function introduce(hello: Hello): void {
    clearTimeout(timer);
    const order = events.order(hello);
    if (order === undefined) return end();
    const { filters, item } = order;
    socket.write(writeFrame({ type: 'subscribe', filters }) + writeFrame({ type: 'submit', id: SUBMIT_ID, item }));
  }

  socket.once('connect', address.release);
  socket.on('error', () => end());
  socket.on('close', () => {
    address.release();
    end();
  });
  socket.on('data', (chunk) => {
    const { lines, fault } = cutter.cut(chunk);
    for (const line of lines) {
      const read = readNodeFrame(line);
      if (read.ok && isOpen) handle(read.frame);
    }
    if (fault !== undefined) end();
  });
  return { close };
}
