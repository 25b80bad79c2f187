/**
 * Publishes one event as a node would and checks whether it is delivered back. There is no other way to test the access
 * list of a broker: some brokers silently drop what they deny, and some close the connection.
 */
import { filter, firstValueFrom, map, merge, of, skip, switchMap, take, timer } from 'rxjs';
import type { BusLink } from '../../bus/bus.js';
import { sealMessage } from '../../protocol/envelope.js';
import { formatTopic } from '../../protocol/topics.js';
import type { Config } from '../../config/config.js';
import { openBrokerClient } from '../snapshot.js';

/** Whether the event came back; `reason` is a sentence for people. */
export type Probe = { readonly seen: true } | { readonly seen: false; readonly topic: string; readonly reason: string };

/** How long the event may take to come back, ms. */
const BACK_MS = 3000;

/** Publishes the event and waits for it. Rejects with BrokerUnreachable. */
export async function probePublish(config: Config): Promise<Probe> {
  const topic = formatTopic(config.base, { kind: 'event', node: config.id });
  // Through the local socket the event would come back whatever the broker does.
  const client = openBrokerClient(config);
  const { bus } = client;
  const stamp = { ts: new Date(client.clock.wall()).toISOString(), boot: 0, seq: Math.floor(client.clock.wall()) };
  const payload = sealMessage(topic, { event_type: 'doctor_looked' }, stamp);
  bus.subscribe([topic]);
  const back$ = bus.messages$.pipe(
    filter((message) => message.topic === topic && Buffer.from(message.payload).toString() === payload),
    map((): Probe => ({ seen: true })),
  );
  const fail = (reason: string): Probe => ({ seen: false, topic, reason });
  const refused$ = bus.refused$.pipe(map(({ reason }) => fail(reason)));
  const hungUp$ = bus.link$.pipe(
    skip(1),
    filter((link): link is BusLink & { state: 'offline' } => link.state === 'offline'),
    map((link) => fail(`${link.reason} after the event was published`)),
  );
  const silent$ = of(undefined).pipe(
    switchMap(() => timer(BACK_MS)),
    map(() => fail('the broker acknowledged the event, but did not deliver it')),
  );
  try {
    await client.connect();
    const probed = firstValueFrom(merge(back$, refused$, hungUp$, silent$).pipe(take(1)));
    bus.publish({ topic, payload, qos: 1, retain: false });
    return await probed;
  } finally {
    await client.close();
  }
}
