/**
 * Two idle nodes on one machine, each with its own state directory, and jobs of the first that move between them. Moves
 * are requested by plain messages, as a script would do it.
 */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mqtt, { type MqttClient } from 'mqtt';
import { filter, firstValueFrom, map, ReplaySubject, type Observable } from 'rxjs';
import { findLongestPause } from '../measure/pause.js';
import { BASE, type BenchBroker } from './brokers.js';
import type { MoveTimes } from './move-by-hand.js';
import { cleanVariables, startProgram, TRITMESH } from './program.js';
import type { Scratch } from './scratch.js';

/** The owner of the jobs, and the other node. */
const [OWNER, OTHER] = ['one', 'two'];

/** From the owner to the other node, or back to the owner. */
export type Way = 'away' | 'home';

/** Starts a job at the start of that way, moves it and lets it end. Rejects with the reason if it does not move. */
export type MoveJob = (way: Way, holder: (gate: string) => readonly string[]) => Promise<MoveTimes>;

/** Starts the nodes. A process can be moved only once: nodes that share a disk are not two machines. */
export async function startMovers(scratch: Scratch, broker: BenchBroker): Promise<MoveJob> {
  const client = await mqtt.connectAsync(broker.url, { clientId: 'bench-movers' });
  scratch.defer(() => client.endAsync());
  const heard$ = await listen(client);
  const mesh = ['--broker', broker.url, '--base', BASE];
  const flagsOf = (id: string): string[] => [...mesh, '--id', id, '--state-dir', join(scratch.directory, id)];
  for (const id of [OWNER, OTHER]) {
    const settings = ['--sense', 'fixed:0.1', '--transfer-listen', '127.0.0.1', '--scum-throttle', 'off'];
    const argv = [process.execPath, TRITMESH, 'node', ...flagsOf(id), ...settings];
    await startProgram(scratch, argv, /connected to the broker/);
    await firstValueFrom(heard$.pipe(filter(({ topic }) => topic === `${BASE}/node/${id}/state`)));
  }
  const bus: Bus = { client, heard$ };
  const gate = join(scratch.directory, 'gate');
  // A job outlives its node by a lease.
  scratch.defer(() => writeFileSync(gate, ''));
  return async (way, holder) => {
    rmSync(gate, { force: true });
    const [from, to] = way === 'away' ? [OWNER, OTHER] : [OTHER, OWNER];
    await setTaking(bus, to, false);
    const item = await submit(flagsOf(OWNER), holder(gate));
    const phases$ = watchPhases(heard$, item);
    await firstValueFrom(phases$.pipe(filter(({ at, runs }) => runs && at === from)));
    await setTaking(bus, to, true);
    const { wish, totalMs } = await moveJob(bus, item, to, phases$);
    writeFileSync(gate, '');
    await firstValueFrom(phases$.pipe(filter(({ isDone }) => isDone)));
    const output = readFileSync(join(scratch.directory, OWNER, 'items', item, 'stdout'), 'utf8');
    return { freezeMs: findLongestPause(output, wish), totalMs };
  };
}

interface Bus {
  readonly client: MqttClient;
  readonly heard$: Observable<Heard>;
}

interface Heard {
  /** When it arrived, on the monotonic clock, ms. */
  readonly at: number;
  readonly topic: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

async function listen(client: MqttClient): Promise<Observable<Heard>> {
  const heard$ = new ReplaySubject<Heard>();
  client.on('message', (topic, payload) => {
    if (payload.length === 0) return;
    heard$.next({ at: performance.now(), topic, fields: JSON.parse(payload.toString()) as Record<string, unknown> });
  });
  const topics = ['node/+/state', 'node/+/event', 'work/+/+/status', 'work/+/+/log/+'];
  await client.subscribeAsync(topics.map((topic) => `${BASE}/${topic}`));
  return heard$;
}

/** Makes a node take jobs or not: the owner drains, the other node accepts none. Resolves when its state says so. */
async function setTaking({ client, heard$ }: Bus, node: string, takes: boolean): Promise<void> {
  const [key, field] = node === OWNER ? ['drain', 'draining'] : ['accept', 'accepting'];
  const value = node === OWNER ? !takes : takes;
  const isSo = ({ topic, fields, at }: Heard): boolean =>
    topic === `${BASE}/node/${node}/state` && fields[field] === value && at >= begun;
  const begun = performance.now();
  await client.publishAsync(`${BASE}/node/${node}/set/${key}`, value ? 'ON' : 'OFF', { qos: 1 });
  await firstValueFrom(heard$.pipe(filter(isSo)));
}

async function submit(flags: readonly string[], argv: readonly string[]): Promise<string> {
  const how = ['--no-wait', '--json', '--migrate', 'checkpoint', '--cpus', '0.1'];
  const { stdout } = await promisify(execFile)(process.execPath, [TRITMESH, 'run', ...flags, ...how, '--', ...argv], {
    env: cleanVariables(),
  });
  return (JSON.parse(stdout) as { readonly item: string }).item;
}

interface Phase {
  readonly runs: boolean;
  readonly isDone: boolean;
  readonly at: string;
  readonly hops: number;
}

/** The phases of a job. The observable fails if the job does not move, or fails. */
function watchPhases(heard$: Observable<Heard>, item: string): Observable<Phase> {
  const stays = ({ topic, fields }: Heard): boolean =>
    topic.endsWith('/event') && fields['event_type'] === 'item_stayed' && fields['item'] === item;
  return heard$.pipe(
    filter((one) => one.topic.endsWith(`/${item}/status`) || stays(one)),
    map((one) => {
      const { phase, reason, receiver, hops } = one.fields;
      if (stays(one) || ['failed', 'lost', 'cancelled'].includes(String(phase)))
        throw new Error(`the job did not move: ${String(reason)}`);
      return { runs: phase === 'running', isDone: phase === 'done', at: String(receiver), hops: Number(hops) };
    }),
  );
}

/** Requests the move of a job once it holds its memory. Returns when, ms since 1970, and how long it took, ms. */
async function moveJob(
  { client, heard$ }: Bus,
  item: string,
  to: string,
  phases$: Observable<Phase>,
): Promise<{ readonly wish: number; readonly totalMs: number }> {
  const logs$ = heard$.pipe(filter(({ topic }) => topic.includes(`/${item}/log/`)));
  await firstValueFrom(logs$.pipe(filter(({ fields }) => /^holds /m.test(String(fields['text'])))));
  const wish = Date.now();
  const begun = performance.now();
  await client.publishAsync(`${BASE}/node/${OWNER}/request/migrate`, item, { qos: 1 });
  await firstValueFrom(phases$.pipe(filter(({ runs, at, hops }) => runs && at === to && hops === 1)));
  const totalMs = performance.now() - begun;
  return { wish, totalMs };
}
