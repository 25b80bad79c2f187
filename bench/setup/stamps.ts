/** Dispatches of tritmesh from submit to the start of the process, for one no-op after another. */
import mqtt from 'mqtt';
import { readStamp, setWallClock, STAMP_ARGV } from '../measure/stamp.js';
import { BASE, type BenchBroker } from './brokers.js';
import type { Pair } from './pair.js';
import type { Scratch } from './scratch.js';

/** Waits until the bus reports the end of a job, and returns the time stamp that is its output, ms since 1970. */
export type Stamps = (item: string) => Promise<number>;

/** Listens to the jobs of the owner of a pair. */
export async function listenForStamps(scratch: Scratch, broker: BenchBroker): Promise<Stamps> {
  const client = await mqtt.connectAsync(broker.url, { clientId: 'bench-stamps' });
  scratch.defer(() => client.endAsync());
  const stamps = new Map<string, number>();
  const waiting = new Map<string, (stamp: number) => void>();
  client.on('message', (topic, payload) => {
    // An old status that is cleared.
    if (payload.length === 0) return;
    const [, , , item = '', kind] = topic.split('/');
    const { text, phase } = JSON.parse(payload.toString()) as { readonly text?: string; readonly phase?: string };
    if (kind === 'log') stamps.set(item, readStamp(text ?? '') ?? Number.NaN);
    if (kind === 'status' && phase === 'done') waiting.get(item)?.(stamps.get(item) ?? Number.NaN);
  });
  await client.subscribeAsync([`${BASE}/work/owner/+/log/+`, `${BASE}/work/owner/+/status`]);
  return (item) => new Promise((resolve) => waiting.set(item, resolve));
}

/** Submits jobs one after another; returns the time of each from submit to its stamp, ms. */
export async function dispatchJobs(
  pair: Pair,
  stamps: Stamps,
  name: string,
  count: number,
): Promise<readonly number[]> {
  const wall = setWallClock();
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const item = `${name}-${index}`;
    const ended = stamps(item);
    const begun = wall();
    await pair.submit(item, STAMP_ARGV);
    times.push((await ended) - begun);
  }
  return times;
}
