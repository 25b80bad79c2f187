/** `tritmesh broker`: runs the embedded broker until it is stopped. */
import { composeBroker, type BrokerChoice, type BrokerEvent, type RunningBroker } from '../../compose/broker.js';
import { untilStopped } from '../until-stopped.js';
import type { Context } from '../context.js';
import { BadInput, EXIT } from '../failure.js';
import { readWhole } from '../flag-values.js';
import { showText } from '../render/format.js';

/** Flags of `broker` and `up`, as typed. */
export interface BrokerFlags {
  readonly listen?: string;
  readonly port?: string;
  readonly wsPort?: string;
  /** Path of the password file. */
  readonly users?: string;
}

const PORT_DEFAULT = 1883;
const PORT_MAX = 65_535;

/** Runs the broker until SIGINT or SIGTERM. */
export async function runBroker(context: Context, flags: BrokerFlags): Promise<number> {
  const broker = await startBroker(context, flags);
  const stopped = untilStopped();
  context.print(
    `${describeBroker(broker)}\nwatch it with: mosquitto_sub -p ${broker.port} -t '${context.config.base}/#' -v\n`,
  );
  await stopped;
  await broker.close();
  return EXIT.done;
}

/** Starts the broker as the flags say. Throws {@link BadInput}. */
export function startBroker(context: Context, flags: BrokerFlags): Promise<RunningBroker> {
  const { base, state_dir, log_level } = context.config;
  return composeBroker({
    base,
    stateDir: state_dir,
    ...readBrokerFlags(flags),
    onEvent: (event) => {
      const line = describeBrokerEvent(event, log_level === 'debug');
      if (line !== undefined) context.report(line);
    },
  });
}

/** Parses the flags. Throws {@link BadInput}. */
export function readBrokerFlags({
  listen,
  port,
  wsPort,
  users,
}: BrokerFlags): Pick<BrokerChoice, 'host' | 'port' | 'wsPort' | 'passwordFile'> {
  if (listen === '') throw new BadInput('--listen', '', 'must be a host name or an address');
  return {
    host: listen,
    port: port === undefined ? PORT_DEFAULT : readWhole('--port', port, 0, PORT_MAX),
    wsPort: wsPort === undefined ? undefined : readWhole('--ws-port', wsPort, 0, PORT_MAX),
    passwordFile: users,
  };
}

/** The URLs it listens at, as a line for people. */
export function describeBroker({ url, wsUrl }: RunningBroker): string {
  return `broker at ${url}${wsUrl === undefined ? '' : ` and ${wsUrl}`}`;
}

/**
 * The line for an event, or `undefined` if it is not worth one. Connects, disconnects and failed connections are shown
 * only when debugging: every client tries MQTT 5 first, which this broker refuses.
 */
function describeBrokerEvent(event: BrokerEvent, isDebugging: boolean): string | undefined {
  switch (event.kind) {
    case 'connected':
    case 'disconnected':
      return isDebugging ? `broker: ${showText(event.client)} ${event.kind}` : undefined;
    case 'login-denied':
      return `broker: login of ${showText(event.client)} denied: ${showText(event.reason)}`;
    case 'publish-denied':
      return `broker: ${showText(event.client)} may not publish to ${showText(event.topic)}: ${showText(event.reason)}`;
    case 'subscribe-denied':
      return `broker: ${showText(event.client)} may not subscribe to ${showText(event.filter)}: ${showText(event.reason)}`;
    case 'connection-failed':
      if (!isDebugging) return undefined;
      return `broker: connection of ${showText(event.client) || 'an unknown client'} failed: ${showText(event.reason)}`;
    case 'fault':
      return `broker: ${showText(event.reason)}`;
  }
}
