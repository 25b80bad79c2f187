import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { createTlsPair } from '../../../src/identity/certificate.js';
import { createPeerListener, type PeerListener } from '../../../src/transfer/peer/peer-listener.js';

function createListener(): PeerListener {
  const tls = createTlsPair(generateKeyPairSync('ed25519').privateKey);
  return createPeerListener({ tls, listen: '127.0.0.1', port: 0, advertise: [] });
}

async function connectTo(listener: PeerListener): Promise<Socket> {
  const [url = ''] = listener.ownUrls();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

it.each([
  ['says nothing', ''],
  // The record of a handshake that never continues.
  ['stops in the middle of its handshake', '\u0016\u0003\u0001\u0002'],
  // Half of the time in which the server gives up such a connection by itself.
])('closes although a connection %s', { timeout: 5000 }, async (_title, text) => {
  const listener = createListener();
  await listener.start();
  const socket = await connectTo(listener);
  socket.on('error', () => undefined);
  socket.write(Buffer.from(text, 'latin1'));
  // The server has it once it has one that came later.
  const later = await connectTo(listener);
  later.on('error', () => undefined);
  const ended = Promise.all([once(socket, 'close'), once(later, 'close')]);
  await new Promise<void>((resolve) => listener.close(resolve));
  await ended;
  expect([socket.destroyed, later.destroyed]).toEqual([true, true]);
});

it('closes although it never listened', async () => {
  await new Promise<void>((resolve) => createListener().close(resolve));
});
