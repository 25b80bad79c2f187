/**
 * The doors of the broker: TCP and WebSocket, both handing byte streams to one taker. Closing a listener closes what came
 * in through it too.
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer } from 'ws';

/** An open port. */
export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** Takes a stream; tells, while it lives, whether its client has been let in. */
export type TakeStream = (stream: Duplex) => { readonly isAdmitted: () => boolean };

/** What may come in before a client is let in: one CONNECT with a will, and no more. */
const HELLO_BYTES_MAX = 128 * 1024;
/** Largest WebSocket frame; a broker's client sends a packet or less in one. */
const FRAME_BYTES_MAX = 1024 * 1024;

/** Listens for MQTT on `port` (0 for any free one). Rejects with the system's error, such as EADDRINUSE. */
export async function listenTcp(host: string, port: number, take: TakeStream): Promise<Listener> {
  // Nagle's algorithm would hold small packets back for up to 40 ms.
  const server = createServer({ noDelay: true });
  const sockets = trackSockets(server);
  server.on('connection', (socket: Socket) => {
    const client = take(socket);
    socket.on('readable', () => {
      if (socket.bytesRead > HELLO_BYTES_MAX && !client.isAdmitted()) socket.destroy();
    });
  });
  return open(server, host, port, sockets);
}

/** Listens for MQTT over WebSocket on `port`, at any path. */
export async function listenWebSocket(host: string, port: number, take: TakeStream): Promise<Listener> {
  const server = createHttpServer((_request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain' }).end('MQTT over WebSocket only\n');
  });
  const sockets = trackSockets(server);
  const webSockets = new WebSocketServer({
    server,
    maxPayload: FRAME_BYTES_MAX,
    handleProtocols: (protocols) => (protocols.has('mqtt') ? 'mqtt' : false),
  });
  // The HTTP server's own listener says its errors; without one here they would be thrown.
  webSockets.on('error', () => {});
  webSockets.on('connection', (webSocket) => void take(createWebSocketStream(webSocket)));
  return open(server, host, port, sockets);
}

async function open(server: Server, host: string, port: number, sockets: ReadonlySet<Socket>): Promise<Listener> {
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return sockets;
}
