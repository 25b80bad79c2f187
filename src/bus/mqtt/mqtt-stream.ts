/**
 * The byte stream to a broker: TCP, TLS or WebSocket, depending on the scheme of its URL. MQTT.js could open them too,
 * but it leaves Nagle's algorithm on (a QoS 0 p99 of 38 ms instead of 3) and loads all three before the first is used.
 */
import { readFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { nameServer, readHost } from './mqtt-reason.js';

const PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883 };

/** The schemes that {@link prepareStream} supports, in the form of `URL.protocol`. */
export const SCHEMES: readonly string[] = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];

/**
 * Loads what the stream needs and returns the function that opens it. The opened stream may still be connecting; writes
 * are buffered until then. Rejects when `caFile` (PEM, trusted instead of the system's authorities) cannot be read.
 */
export async function prepareStream(url: URL, caFile: string | undefined): Promise<() => Duplex> {
  const ca = caFile === undefined ? undefined : await readFile(caFile);
  if (url.protocol.startsWith('ws')) return prepareWebSocket(url, ca);
  if (url.protocol === 'mqtts:') return prepareTls(url, ca);
  return () => connectTcp({ ...readTarget(url), noDelay: true });
}

async function prepareTls(url: URL, ca: Buffer | undefined): Promise<() => Duplex> {
  const tls = await import('node:tls');
  const servername = nameServer(url);
  return () => {
    const socket = tls.connect({
      ...readTarget(url),
      ...(servername === undefined ? {} : { servername }),
      ...(ca === undefined ? {} : { ca }),
    });
    return socket.setNoDelay(true);
  };
}

async function prepareWebSocket(url: URL, ca: Buffer | undefined): Promise<() => Duplex> {
  const { createWebSocketStream, WebSocket } = await import('ws');
  const target = new URL(url);
  target.username = '';
  target.password = '';
  return () => createWebSocketStream(new WebSocket(target, ['mqtt'], ca === undefined ? {} : { ca }));
}

function readTarget(url: URL): { readonly host: string; readonly port: number } {
  return { host: readHost(url), port: url.port === '' ? (PORTS[url.protocol] ?? 1883) : Number(url.port) };
}
