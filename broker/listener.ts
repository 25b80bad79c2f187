/**
 * The listeners of the broker: TCP and WebSocket, which pass byte streams to one handler. Closing a listener also
 * closes the connections that it accepted.
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { closeServer, trackSockets } from '../src/os/tracked-sockets.js';

/** An open port. */
export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Handles the stream of a new connection. The result tells, as long as the stream is open, whether its client was
 * admitted.
 */
export type StreamHandler = (stream: Duplex) => { readonly isAdmitted: () => boolean };

/** Bytes that a client may send before it is admitted: enough for one CONNECT with a will. */
const HELLO_BYTES_MAX = 128 * 1024;
/** Largest WebSocket frame in bytes; a frame of an MQTT client contains at most one packet. */
const FRAME_BYTES_MAX = 1024 * 1024;

/** Listens for MQTT on `port` (0 for any free one). Rejects with the system's error, such as EADDRINUSE. */
export async function listenTcp(host: string, port: number, handleStream: StreamHandler): Promise<Listener> {
  // Nagle's algorithm would hold small packets back for up to 40 ms.
  const server = createServer({ noDelay: true });
  const sockets = trackSockets(server);
  server.on('connection', (socket: Socket) => {
    const client = handleStream(socket);
    socket.on('readable', () => {
      if (socket.bytesRead > HELLO_BYTES_MAX && !client.isAdmitted()) socket.destroy();
    });
  });
  return open(server, host, port, sockets);
}

/** Listens for MQTT over WebSocket on `port`, at any path. */
export async function listenWebSocket(host: string, port: number, handleStream: StreamHandler): Promise<Listener> {
  const server = createHttpServer((_request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain' }).end('MQTT over WebSocket only\n');
  });
  const sockets = trackSockets(server);
  const webSockets = new WebSocketServer({
    server,
    maxPayload: FRAME_BYTES_MAX,
    handleProtocols: (protocols) => (protocols.has('mqtt') ? 'mqtt' : false),
  });
  // Errors are reported by the HTTP server; without a listener here they would be thrown as well.
  webSockets.on('error', () => {});
  webSockets.on('connection', (webSocket) => void handleStream(createWebSocketStream(webSocket)));
  return open(server, host, port, sockets);
}

async function open(server: Server, host: string, port: number, sockets: ReadonlySet<Socket>): Promise<Listener> {
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => closeServer(server, sockets, resolve)),
  };
}
