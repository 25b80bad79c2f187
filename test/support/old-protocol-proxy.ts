/** A broker that speaks MQTT 3.1.1 only: a TCP proxy on loopback that refuses a CONNECT of MQTT 5, as aedes does. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A running proxy. */
export interface OldProtocolProxy {
  readonly url: string;
  close(): Promise<void>;
}

/** CONNACK with `unacceptable protocol version`. */
const REFUSAL = Buffer.from([0x20, 2, 0, 1]);

/** Starts a proxy in front of a broker's port. */
export async function startOldProtocolProxy(port: number): Promise<OldProtocolProxy> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    track(client);
    client.once('data', (first) => {
      // The protocol level follows the name of the protocol.
      if (first[first.indexOf('MQTT') + 4] === 5) return void client.end(REFUSAL);
      const upstream = connect(port, '127.0.0.1');
      track(upstream);
      upstream.write(first);
      client.pipe(upstream).pipe(client);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
