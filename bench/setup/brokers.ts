/** The brokers of the benchmarks, each in its own process on a free loopback port. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { findInstalled } from './find-installed.js';
import { startProgram, TRITMESH } from './program.js';
import type { Scratch } from './scratch.js';

/** The base topic of the benchmarks. */
export const BASE = 'tritmesh';

/** A running broker. */
export interface BenchBroker {
  /** Its name in the figures. */
  readonly name: 'aedes' | 'mosquitto';
  readonly url: string;
}

/** The brokers that this machine has. Reports on stderr which one is left out, and how to install it. */
export function listBrokers(): readonly BenchBroker['name'][] {
  if (findInstalled('mosquitto') !== undefined) return ['aedes', 'mosquitto'];
  console.error('skipped: mosquitto is not installed on this machine: apt-get install mosquitto');
  return ['aedes'];
}

/** Starts a broker. */
export function startBroker(scratch: Scratch, name: BenchBroker['name']): Promise<BenchBroker> {
  return name === 'aedes' ? startEmbedded(scratch) : startMosquitto(scratch);
}

async function startEmbedded(scratch: Scratch): Promise<BenchBroker> {
  const flags = ['--port', '0', '--base', BASE, '--state-dir', join(scratch.directory, 'broker')];
  const { line } = await startProgram(scratch, [process.execPath, TRITMESH, 'broker', ...flags], /mqtt:\/\//);
  return { name: 'aedes', url: /mqtt:\/\/\S+/.exec(line)?.[0] ?? '' };
}

/** With the settings of broker/mosquitto/mosquitto.conf that matter for speed. */
async function startMosquitto(scratch: Scratch): Promise<BenchBroker> {
  const port = await findFreePort();
  const file = join(scratch.directory, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'max_inflight_messages 1000',
    'max_queued_messages 20000',
    'set_tcp_nodelay true',
    'log_dest stderr',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  await startProgram(scratch, [findInstalled('mosquitto') ?? 'mosquitto', '-c', file], /running/);
  return { name: 'mosquitto', url: `mqtt://127.0.0.1:${port}` };
}

/** A port of the loopback that nobody listens on. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
