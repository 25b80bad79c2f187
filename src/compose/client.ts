/**
 * Sets up what a short-lived client of the mesh needs: a bus without a will and, on request, the key of this machine's
 * node for signing. It loads nothing else, which lets a command like `tritmesh status` start quickly.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { filter, firstValueFrom, map, skip, type Observable } from 'rxjs';
import { isUntried } from '../bus/bus-link.js';
import type { Bus, BusLink } from '../bus/bus.js';
import { createLocalBus } from '../bus/local/local-bus.js';
import { createMergedBus } from '../bus/local/merged-bus.js';
import { createMqttBus } from '../bus/mqtt/mqtt-bus.js';
import { namePlace } from '../bus/mqtt/mqtt-reason.js';
import type { Clock } from '../clock/clock.js';
import { createSystemClock } from '../clock/system-clock.js';
import type { Identity } from '../identity/identity.js';
import { formatTopic } from '../protocol/topics.js';
import type { LoadSample } from '../sense/sense.js';

/** Which broker to connect to, and for which node the client acts. */
export interface ClientOptions {
  /** URL of the broker. */
  readonly broker: string;
  readonly base: string;
  /** Id of the node that the client acts for. */
  readonly id: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly caFile?: string | undefined;
  /** State directory of that node: its local socket is a second route, besides the broker. Without it there is none. */
  readonly stateDir?: string | undefined;
}

/** Details for when the broker is away. */
export interface Absence {
  /** A sentence for people. */
  readonly reason: string;
  /** The own node can be reached. */
  readonly hasNode: boolean;
  /** URL of the broker that the own node uses, if it is a different one. */
  readonly nodeBroker: string | undefined;
}

/** A client of the mesh. Subscribe before {@link Client.connect} to miss nothing. */
export interface Client {
  readonly bus: Bus;
  readonly base: string;
  readonly id: string;
  readonly clock: Clock;
  /** Emits whether the broker is away once that is known; the current state first. */
  readonly absence$: Observable<Absence | undefined>;
  /** Why the own node cannot be reached on this machine; `undefined` when it can. */
  nodeFault(): string | undefined;
  /**
   * Connects; resolves when the broker has granted the subscriptions, or the own node has while the broker is away.
   * Rejects with {@link BrokerUnreachable} when neither can be reached.
   */
  connect(): Promise<void>;
  /** The same, but retries until one of them can be reached. */
  connectPatiently(): Promise<void>;
  close(): Promise<void>;
}

/** Neither the broker nor the own node can be reached; the message is a sentence for people. */
export class BrokerUnreachable extends Error {
  override readonly name = 'BrokerUnreachable';
}

/** A node's key, and the id it signs for. */
export interface Signer {
  readonly id: string;
  readonly identity: Identity;
}

/** Creates a client that is not connected yet. Throws TypeError for a broker URL with an unknown scheme. */
export function composeClient(options: ClientOptions): Client {
  const { base, id } = options;
  const broker = createMqttBus({
    url: options.broker,
    clientId: `${base.replaceAll('/', '-')}-${id}-cli-${randomBytes(4).toString('hex')}`,
    username: options.username,
    password: options.password,
    caFile: options.caFile,
    keepaliveS: KEEPALIVE_S,
  });
  const { bus, absence$, nodeFault } = createRoutes(options, broker);
  // The current state, `not connected yet`, is not an answer.
  const answer$ = bus.link$.pipe(skip(1));
  return {
    bus,
    base,
    id,
    clock: createSystemClock(),
    absence$,
    nodeFault,
    async connect() {
      const first = firstValueFrom(answer$);
      bus.connect();
      const link = await first;
      if (link.state === 'online') return;
      const fault = nodeFault();
      throw new BrokerUnreachable(
        fault === undefined ? link.reason : `${fault}, and the broker cannot be reached: ${link.reason}`,
      );
    },
    async connectPatiently() {
      const first = firstValueFrom(answer$.pipe(filter((link) => link.state === 'online')));
      bus.connect();
      await first;
    },
    close: () => new Promise((resolve) => bus.close(resolve)),
  };
}

/** Short, because a person waits: a broker that stops responding is noticed within eight seconds. */
const KEEPALIVE_S = 5;

type ClientRoutes = Pick<Client, 'bus' | 'absence$' | 'nodeFault'>;

function createRoutes(options: ClientOptions, broker: Bus): ClientRoutes {
  const { base, id, stateDir } = options;
  const place = namePlace(new URL(options.broker));
  if (stateDir === undefined) {
    return {
      bus: broker,
      absence$: broker.link$.pipe(
        filter((link) => !isUntried(link)),
        map((link) => describeAbsence(link, place, false)),
      ),
      nodeFault: () => undefined,
    };
  }
  let nodeBroker: string | undefined;
  const requests = formatTopic(base, { kind: 'request', node: id, verb: '' });
  const bus = createMergedBus({
    broker,
    local: createLocalBus({ stateDir, node: id, base, onBroker: (url) => (nodeBroker = url) }),
    isLocal: (topic) => topic.startsWith(requests),
  });
  const elsewhere = (): string | undefined =>
    nodeBroker === undefined || namePlace(new URL(nodeBroker)) === place ? undefined : nodeBroker;
  let fault: string | undefined = 'it has not been tried yet';
  bus.routes$.subscribe(({ local }) => {
    fault = local.state === 'online' ? undefined : local.reason;
  });
  return {
    bus,
    absence$: bus.routes$.pipe(
      map(({ broker: link, local }) => describeAbsence(link, place, local.state === 'online', elsewhere())),
    ),
    nodeFault: () => fault,
  };
}

function describeAbsence(link: BusLink, place: string, hasNode: boolean, nodeBroker?: string): Absence | undefined {
  if (link.state === 'online') return undefined;
  return { reason: isUntried(link) ? `no answer yet from ${place}` : link.reason, hasNode, nodeBroker };
}

/**
 * Loads the key of the node in a state directory, to sign requests as `id`; `undefined` when there is none yet (only
 * the node creates it). Rejects with KeyFileError for a key that must not be used.
 */
export async function loadSigner(stateDir: string, id: string): Promise<Signer | undefined> {
  // Not load-identity.js: it also creates a certificate, which takes longer than everything else here.
  const { keyPath, loadKey } = await import('../identity/key-file.js');
  if (!existsSync(keyPath(stateDir))) return undefined;
  const { createIdentity } = await import('../identity/create-identity.js');
  return { id, identity: createIdentity(loadKey(stateDir)) };
}

/**
 * Why a node of this version would refuse a state directory (a newer version wrote it); `undefined` if it would not.
 */
export async function findStateFault(stateDir: string): Promise<string | undefined> {
  const { checkStateFormat, StateFormatError } = await import('../journal/state-format.js');
  const { readVersion } = await import('./machine-info.js');
  try {
    checkStateFormat(stateDir, await readVersion());
    return undefined;
  } catch (error) {
    if (error instanceof StateFormatError) return error.message;
    throw error;
  }
}

/** Takes one sample of the load with a metric, as a node would; rejects with the reason when it cannot. */
export async function senseOnce(metric: string, cpus: number): Promise<LoadSample> {
  const { parseMetric } = await import('../sense/metric.js');
  const { createSense } = await import('../sense/create-sense.js');
  const parsed = parseMetric(metric);
  if (!parsed.ok) throw new TypeError(`sense ${parsed.reason}`);
  const sense = createSense({ metric: parsed.metric, clock: createSystemClock(), cpus });
  const sample = await firstValueFrom(sense.load$);
  if ('fault' in sample) throw new Error(sample.fault);
  return sample;
}
