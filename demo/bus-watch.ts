/**
 * Watches the whole bus as `mosquitto_sub -t 'tritmesh/#'` would, and publishes as `mosquitto_pub` would: it has no key
 * and is not a member of the mesh. It keeps the last state of each node and the last status of each item, and waits for
 * them.
 */
import { connectAsync, type MqttClient } from 'mqtt';
import { decodeBusEvent, type BusEvent, type BusMessageEvent } from '../src/observe/bus-event.js';
import type { MeshState, Response, State } from '../src/protocol/messages.js';
import type { Status } from '../src/protocol/status.js';
import { formatTopic, type Topic } from '../src/protocol/topics.js';
import type { WaitList } from './wait-list.js';

/** The last messages of each kind. */
export interface BusSnapshot {
  /** By node. */
  readonly states: ReadonlyMap<string, State>;
  /** By item. */
  readonly statuses: ReadonlyMap<string, Status>;
  /** By item and node: all stdout that was published. */
  readonly outputs: ReadonlyMap<string, string>;
  /** By transaction. */
  readonly responses: ReadonlyMap<string, Response>;
  readonly mesh: MeshState | undefined;
}

/** A connection that only watches. */
export interface BusWatch {
  readonly snapshot: BusSnapshot;
  /** Resolves with the first result of `find`, now or after a later message. `what` continues "waiting for …". */
  until<T>(what: string, find: (snapshot: BusSnapshot) => T | undefined): Promise<T>;
  /** Publishes plain text, QoS 1, not retained. */
  publish(topic: Topic, payload: string): Promise<void>;
  close(): Promise<void>;
}

/** Settings of the watch. */
export interface BusWatchOptions {
  readonly url: string;
  readonly base: string;
  readonly waits: WaitList;
  readonly onHeard: (heard: BusEvent) => void;
}

/** Connects, and resolves once everything below the base topic is subscribed. */
export async function watchBus({ url, base, waits, onHeard }: BusWatchOptions): Promise<BusWatch> {
  const snapshot = createSnapshot();
  const waiting = new Set<() => void>();
  const client: MqttClient = await waits.during(`the broker at ${url}`, connectAsync(url, { clientId: 'spectator' }));
  // The code that started the broker reports that it has ended.
  client.on('error', () => undefined);
  client.on('message', (topic, payload, { retain }) => {
    const heard = decodeBusEvent(base, { topic, payload, retained: retain });
    snapshot.handle(heard);
    onHeard(heard);
    for (const check of waiting) check();
  });
  await client.subscribeAsync(`${base}/#`, { qos: 1 });

  return {
    snapshot,
    until: (what, find) =>
      waits.during(
        what,
        new Promise((resolve) => {
          const check = (): void => {
            const found = find(snapshot);
            if (found === undefined) return;
            waiting.delete(check);
            resolve(found);
          };
          waiting.add(check);
          check();
        }),
      ),
    publish: async (topic, payload) => {
      await client.publishAsync(formatTopic(base, topic), payload, { qos: 1 });
    },
    close: () => client.endAsync(true),
  };
}

function createSnapshot(): BusSnapshot & { handle(heard: BusEvent): void } {
  const states = new Map<string, State>();
  const statuses = new Map<string, Status>();
  const outputs = new Map<string, string>();
  const responses = new Map<string, Response>();
  let mesh: MeshState | undefined;

  function handleMessage(heard: BusMessageEvent): void {
    if (heard.kind === 'state') states.set(heard.topic.node, heard.message);
    else if (heard.kind === 'status') statuses.set(heard.topic.item, heard.message);
    else if (heard.kind === 'mesh') mesh = heard.message;
    else if (heard.kind === 'response') responses.set(heard.message.transaction ?? '', heard.message);
    else if (heard.kind === 'log' && heard.message.stream === 'stdout') {
      const key = `${heard.topic.item} ${heard.topic.node}`;
      outputs.set(key, (outputs.get(key) ?? '') + heard.message.text);
    }
  }

  return {
    states,
    statuses,
    outputs,
    responses,
    get mesh() {
      return mesh;
    },
    handle(heard) {
      if (heard.type === 'message') handleMessage(heard);
    },
  };
}
