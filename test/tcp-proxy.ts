/**
 * A TCP proxy on the loopback whose connections a test can break: what a pulled cable, a hung broker and a crashed
 * program look like to the other side.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A proxy that runs. */
export interface TcpProxy {
  readonly port: number;
  /** Breaks all connections; new ones are let through. */
  cut(): void;
  close(): Promise<void>;
}

/** Starts a proxy; `targetPort` is asked at each connection, so that the target may move. */
export async function startTcpProxy(targetPort: () => number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Resets are what this proxy is for.
    socket.on('error', () => {});
  };
  const server = createServer({ noDelay: true }, (inner) => {
    const outer = connect({ port: targetPort(), host: '127.0.0.1', noDelay: true });
    track(inner);
    track(outer);
    inner.pipe(outer);
    outer.pipe(inner);
    inner.on('close', () => outer.destroy());
    outer.on('close', () => inner.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    async close() {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}
