/** The baseline of everything that uses the bus: MQTT.js publishes a message at QoS 1 and receives it back. */
import mqtt from 'mqtt';
import { BASE } from '../setup/brokers.js';
import { quantile } from './figure.js';

/** Median of `count` consecutive round trips through a broker, ms. */
export async function measureRoundTrip(url: string, count: number): Promise<number> {
  const client = await mqtt.connectAsync(url, { clientId: 'bench-round-trip' });
  // As a node does; by default MQTT.js leaves Nagle's algorithm on.
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

/** About the size of an ack. */
const PAYLOAD_BYTES = 400;
