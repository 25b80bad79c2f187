/**
 * The open connections of a server. Node.js ends a server only once they have all closed, and `closeAllConnections`
 * leaves out those that have not sent a request yet: a silent one would keep the program from stopping.
 */
import type { Server, Socket } from 'node:net';

/** Tracks the connections that a server accepts from now on; call it before it listens. */
export function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** Closes a server and its connections; also calls back for one that never listened. */
export function closeServer(server: Server, sockets: ReadonlySet<Socket>, done: () => void): void {
  server.close(() => done());
  for (const socket of sockets) socket.destroy();
}
