/**
 * `tritmesh up`: runs a broker and a node in one process. Where a broker already answers at the port, only the node is
 * started, and it joins that broker.
 */
import { connect } from 'node:net';
import { describeBroker, readBrokerFlags, startBroker, type BrokerFlags } from './broker.js';
import type { Context } from '../context.js';
import { EXIT } from '../failure.js';
import { abortWhen, startNode } from './node.js';
import { untilStopped } from '../until-stopped.js';

/** How long a broker on this machine may take to accept a connection, ms. */
const PROBE_MS = 1000;

/** Runs both until SIGINT or SIGTERM. */
export async function runUp(context: Context, flags: BrokerFlags): Promise<number> {
  const stopped = untilStopped();
  const { host = '127.0.0.1', port } = readBrokerFlags(flags);
  const isTaken = port !== 0 && (await answers(reachableHost(host), port));
  const broker = isTaken ? undefined : await startBroker(context, flags);
  const url = broker?.url ?? `mqtt://${formatHost(reachableHost(host))}:${port}`;
  context.print(
    broker === undefined ? `a broker already answers at ${url}: joining it\n` : `${describeBroker(broker)}\n`,
  );
  try {
    const origins = url === context.config.broker ? context.origins : { ...context.origins, broker: '--port' };
    const config = { ...context.config, broker: url };
    const node = await startNode({ ...context, config, origins }, abortWhen(stopped));
    await Promise.race([stopped, node.failed]);
    await node.stop();
  } finally {
    await broker?.close();
  }
  return EXIT.done;
}

/** The address at which this machine reaches a listener on `host`. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_MS });
    const end = (isThere: boolean) => (): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', end(true));
    socket.once('error', end(false));
    socket.once('timeout', end(false));
  });
}
