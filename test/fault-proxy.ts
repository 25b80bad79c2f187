/**
 * A small TCP proxy on loopback that tests put between two programs, to cut connections where they say. It passes bytes on
 * unread and unchanged.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A running proxy. */
export interface FaultProxy {
  readonly port: number;
  /** Connections that were accepted so far. */
  connections(): number;
  /** Cuts each of the next connections after that many bytes toward the client: one number a connection. */
  cutAfter(...bytes: readonly number[]): void;
  /** Resets every connection that is open. */
  cutNow(): void;
  /** Where connections from now on go. */
  retarget(port: number): void;
  close(): Promise<void>;
}

/** Starts a proxy to `targetPort` on loopback. */
export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  const cuts: number[] = [];
  const open = new Set<Socket>();
  let target = targetPort;
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    const upstream = connect(target, '127.0.0.1');
    track(open, client);
    track(open, upstream);
    joinSockets(client, upstream, cuts.shift() ?? Number.POSITIVE_INFINITY);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    cutAfter: (...bytes) => void cuts.push(...bytes),
    cutNow: () => cutAll(open),
    retarget: (port) => {
      target = port;
    },
    close: () => closeProxy(server, open),
  };
}

function track(open: Set<Socket>, socket: Socket): void {
  open.add(socket);
  socket.once('close', () => open.delete(socket));
  // A reset by either side is what the proxy is for.
  socket.on('error', () => socket.destroy());
}

function joinSockets(client: Socket, upstream: Socket, budget: number): void {
  let left = budget;
  client.setNoDelay(true).pipe(upstream.setNoDelay(true));
  upstream.on('data', (chunk: Buffer) => {
    const passed = chunk.subarray(0, Math.min(chunk.length, left));
    left -= passed.length;
    if (!client.write(passed)) upstream.pause();
    if (left <= 0) client.end(() => client.resetAndDestroy());
  });
  client.on('drain', () => upstream.resume());
  client.once('close', () => upstream.destroy());
  upstream.once('close', () => client.destroy());
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
