/**
 * Puts together what a short-lived client of the mesh needs: a bus without a will and, when asked for, this machine's
 * node key to sign with. It loads only that, so that a command like `tritmesh status` starts quickly.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { distinctUntilChanged, filter, firstValueFrom, skip } from 'rxjs';
import type { Bus } from './bus/bus.js';
import { createMqttBus } from './bus/mqtt-bus.js';
import type { Clock } from './clock/clock.js';
import { createSystemClock } from './clock/system-clock.js';
import type { Identity } from './identity/identity.js';
import type { LoadSample } from './sense/sense.js';

/** Whom to connect to, and for which node the client speaks. */
export interface ClientOptions {
  /** URL of the broker. */
  readonly broker: string;
  readonly base: string;
  /** Id of the node that the client speaks for. */
  readonly id: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly caFile?: string | undefined;
}

/** A client of the mesh. Subscribe before {@link Client.connect}: then nothing is missed. */
export interface Client {
  readonly bus: Bus;
  readonly base: string;
  readonly id: string;
  readonly clock: Clock;
  /**
   * Connects; resolves when the broker has granted the subscriptions. A broker that cannot be reached rejects with
   * {@link BrokerUnreachable} or, with `onOffline`, is told there (once each time it goes) and tried until it answers.
   */
  connect(onOffline?: (reason: string) => void): Promise<void>;
  close(): Promise<void>;
}

/** The broker did not take us; the message is a sentence for people. */
export class BrokerUnreachable extends Error {
  override readonly name = 'BrokerUnreachable';
}

/** A node's key, and whose it is said to be. */
export interface Signer {
  readonly id: string;
  readonly identity: Identity;
}

/** Makes a client; nothing is connected yet. Throws TypeError for a broker URL of an unknown kind. */
export function composeClient(options: ClientOptions): Client {
  const { base, id } = options;
  const bus = createMqttBus({
    url: options.broker,
    clientId: `${base.replaceAll('/', '-')}-${id}-cli-${randomBytes(4).toString('hex')}`,
    username: options.username,
    password: options.password,
    caFile: options.caFile,
  });
  return {
    bus,
    base,
    id,
    clock: createSystemClock(),
    connect: (onOffline) => connectBus(bus, onOffline),
    close: () => new Promise((resolve) => bus.close(resolve)),
  };
}

async function connectBus(bus: Bus, onOffline: ((reason: string) => void) | undefined): Promise<void> {
  // The present state, `not connected yet`, is no news.
  const news$ = bus.link$.pipe(skip(1));
  const told = news$.pipe(distinctUntilChanged((one, other) => one.state === other.state)).subscribe((link) => {
    if (link.state === 'offline' && link.reason !== 'closed') onOffline?.(link.reason);
  });
  const first = firstValueFrom(news$.pipe(filter((link) => link.state === 'online' || onOffline === undefined)));
  bus.connect();
  const link = await first;
  if (link.state === 'online') return;
  told.unsubscribe();
  throw new BrokerUnreachable(link.reason);
}

/**
 * Loads the key of the node whose state directory this is, to sign requests as `id`; `undefined` when that directory has
 * none (it is the node that makes it). Rejects with KeyFileError for a key that must not be used.
 */
export async function loadSigner(stateDir: string, id: string): Promise<Signer | undefined> {
  // Not through load-identity.js: that makes a certificate too, which costs more than everything else here.
  const { keyPath, loadKey } = await import('./identity/key-file.js');
  if (!existsSync(keyPath(stateDir))) return undefined;
  const { createIdentity } = await import('./identity/create-identity.js');
  return { id, identity: createIdentity(loadKey(stateDir)) };
}

/** Takes one sample of the load by a metric, as a node would; rejects with the reason when it cannot. */
export async function senseOnce(metric: string, cpus: number): Promise<LoadSample> {
  const { parseMetric } = await import('./sense/metric.js');
  const { createSense } = await import('./sense/create-sense.js');
  const parsed = parseMetric(metric);
  if (!parsed.ok) throw new TypeError(`sense ${parsed.reason}`);
  const sense = createSense({ metric: parsed.metric, clock: createSystemClock(), cpus });
  const sample = await firstValueFrom(sense.load$);
  if ('fault' in sample) throw new Error(sample.fault);
  return sample;
}
