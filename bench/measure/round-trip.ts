/** The floor of everything that goes over the bus: MQTT.js says a message at QoS 1 and hears it itself. */
import mqtt from 'mqtt';
import { BASE } from '../ground/brokers.js';
import { quantile } from './figure.js';

/** Median of `count` round trips over a broker, one after another, ms. */
export async function measureRoundTrip(url: string, count: number): Promise<number> {
  const client = await mqtt.connectAsync(url, { clientId: 'bench-round-trip' });
  // As a node does; MQTT.js by itself leaves Nagle's algorithm on.
  if ('setNoDelay' in client.stream && typeof client.stream.setNoDelay === 'function') client.stream.setNoDelay(true);
  const topic = `${BASE}/bench/round-trip`;
  await client.subscribeAsync(topic, { qos: 1 });
  const trips: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const heard = new Promise<void>((resolve) => client.once('message', () => resolve()));
    const begun = performance.now();
    client.publish(topic, 'x'.repeat(PAYLOAD_BYTES), { qos: 1 });
    await heard;
    trips.push(performance.now() - begun);
  }
  await client.endAsync();
  return quantile(trips, 0.5);
}

/** About as long as an ack. */
const PAYLOAD_BYTES = 400;
