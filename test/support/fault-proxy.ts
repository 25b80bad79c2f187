/**
 * A small TCP proxy on loopback that tests put between two programs to break their connections: as a pulled cable, a
 * slow network, a hung or a crashed program look to the other side. It forwards bytes without reading or changing them.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A running proxy. */
export interface FaultProxy {
  readonly port: number;
  /** Connections accepted so far. */
  connections(): number;
  /** Cuts each of the next connections after that many bytes toward the client: one number per connection. */
  cutAfter(...bytes: readonly number[]): void;
  /** The same for bytes from the client. */
  cutSentAfter(...bytes: readonly number[]): void;
  /** Resets every open connection. */
  cutNow(): void;
  /** Closes every open connection normally. */
  closeNow(): void;
  /** Silently drops everything in both directions, also on new connections, until it is called with `false`. */
  blackHole(isOn: boolean): void;
  /** Half-closes every open connection toward the client: the client may still write, but nobody reads it. */
  halfClose(): void;
  /** Delays everything from now on by `ms`. */
  delay(ms: number): void;
  /** Forwards connections from now on to this port. */
  retarget(port: number): void;
  close(): Promise<void>;
}

/** What the proxy currently does to bytes. */
interface Weather {
  isBlack: boolean;
  delayMs: number;
}

/**
 * Starts a proxy to a loopback port, on `host`. A function as `targetPort` is called for each connection, which is
 * refused if it throws.
 */
export async function startFaultProxy(
  targetPort: number | (() => number),
  host: string = '127.0.0.1',
): Promise<FaultProxy> {
  const cuts: number[] = [];
  const sentCuts: number[] = [];
  const open = new Set<Socket>();
  const clients = new Set<Socket>();
  const weather: Weather = { isBlack: false, delayMs: 0 };
  let target = targetPort;
  let connections = 0;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    connections += 1;
    track(open, client);
    track(clients, client);
    const port = readTarget(target);
    if (port === undefined) return void client.destroy();
    const upstream = connect(port, '127.0.0.1');
    track(open, upstream);
    const budgets = {
      back: cuts.shift() ?? Number.POSITIVE_INFINITY,
      sent: sentCuts.shift() ?? Number.POSITIVE_INFINITY,
    };
    joinSockets(client, upstream, budgets, weather);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    cutAfter: (...bytes) => void cuts.push(...bytes),
    cutSentAfter: (...bytes) => void sentCuts.push(...bytes),
    cutNow: () => cutAll(open),
    closeNow: () => {
      for (const socket of open) socket.destroy();
    },
    blackHole: (isOn) => {
      // The dropped bytes are missing from the streams for good, so the connections end, too.
      if (!isOn && weather.isBlack) cutAll(open);
      weather.isBlack = isOn;
    },
    halfClose: () => {
      for (const client of clients) client.removeAllListeners('data').resume().end();
    },
    delay: (ms) => {
      weather.delayMs = ms;
    },
    retarget: (port) => {
      target = port;
    },
    close: () => closeProxy(server, open),
  };
}

/** The port to forward to; `undefined` while the program that it leads to is not there. */
function readTarget(target: number | (() => number)): number | undefined {
  if (typeof target === 'number') return target;
  try {
    return target();
  } catch {
    return undefined;
  }
}

function track(open: Set<Socket>, socket: Socket): void {
  open.add(socket);
  socket.once('close', () => open.delete(socket));
  // Resets by either side are expected.
  socket.on('error', () => socket.destroy());
}

interface Budgets {
  readonly back: number;
  readonly sent: number;
}

function joinSockets(client: Socket, upstream: Socket, { back, sent }: Budgets, weather: Weather): void {
  const limit = (budget: number, to: Socket): ((chunk: Buffer) => Buffer) => {
    let left = budget;
    return (chunk) => {
      const passed = chunk.subarray(0, Math.min(chunk.length, left));
      left -= passed.length;
      if (left <= 0) queueMicrotask(() => to.end(() => to.resetAndDestroy()));
      return passed;
    };
  };
  pass(client.setNoDelay(true), upstream.setNoDelay(true), weather, limit(sent, upstream));
  pass(upstream, client, weather, limit(back, client));
  follow(client, upstream, weather);
  follow(upstream, client, weather);
}

/** Closes the other side, after the bytes in flight, when one side has closed. In a black hole neither notices. */
function follow(gone: Socket, other: Socket, weather: Weather): void {
  gone.once('close', () => {
    if (weather.isBlack) return;
    if (weather.delayMs === 0) other.destroy();
    else setTimeout(() => other.destroy(), weather.delayMs);
  });
}

/** Forwards bytes in one direction, with back pressure. */
function pass(from: Socket, to: Socket, weather: Weather, cut: (chunk: Buffer) => Buffer): void {
  const write = (chunk: Buffer): void => {
    if (!to.destroyed && !to.writableEnded && !to.write(chunk)) from.pause();
  };
  from.on('data', (chunk: Buffer) => {
    if (weather.isBlack) return;
    const passed = cut(chunk);
    if (weather.delayMs === 0) return write(passed);
    setTimeout(write, weather.delayMs, passed);
  });
  from.once('end', () => {
    if (weather.isBlack) return;
    if (weather.delayMs === 0) to.end();
    else setTimeout(() => to.end(), weather.delayMs);
  });
  to.on('drain', () => from.resume());
}

function cutAll(open: ReadonlySet<Socket>): void {
  for (const socket of open) socket.resetAndDestroy();
}

async function closeProxy(server: Server, open: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  cutAll(open);
  await closed;
}
