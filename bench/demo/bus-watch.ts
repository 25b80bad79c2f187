/**
 * Watches the whole bus as `mosquitto_sub -t 'tritmesh/#'` would and publishes as `mosquitto_pub` would: no key, no part of
 * the mesh. It keeps the last state of each node and the last status of each item, and lets others wait for them.
 */
import { connectAsync, type MqttClient } from 'mqtt';
import { readHeard, type Heard, type HeardMessage } from '../../src/observe/heard.js';
import type { MeshState, Response, State } from '../../src/protocol/messages.js';
import type { Status } from '../../src/protocol/status.js';
import { formatTopic, type Topic } from '../../src/protocol/topics.js';
import type { WaitList } from './wait-list.js';

/** What was heard last. */
export interface Picture {
  /** By node. */
  readonly states: ReadonlyMap<string, State>;
  /** By item. */
  readonly statuses: ReadonlyMap<string, Status>;
  /** By item and node: all of stdout that was on the bus. */
  readonly outputs: ReadonlyMap<string, string>;
  /** By transaction. */
  readonly responses: ReadonlyMap<string, Response>;
  readonly mesh: MeshState | undefined;
}

/** The spectator. */
export interface BusWatch {
  readonly picture: Picture;
  /** Resolves with what `find` finds in the picture, now or after a message to come. `what` continues "waited for …". */
  until<T>(what: string, find: (picture: Picture) => T | undefined): Promise<T>;
  /** Publishes plain text, QoS 1, not retained. */
  publish(topic: Topic, payload: string): Promise<void>;
  close(): Promise<void>;
}

/** What the spectator needs. */
export interface BusWatchOptions {
  readonly url: string;
  readonly base: string;
  readonly waits: WaitList;
  readonly onHeard: (heard: Heard) => void;
}

/** Connects, and resolves once everything below the base topic is subscribed. */
export async function watchBus({ url, base, waits, onHeard }: BusWatchOptions): Promise<BusWatch> {
  const picture = createPicture();
  const waiting = new Set<() => void>();
  const client: MqttClient = await waits.during(`the broker at ${url}`, connectAsync(url, { clientId: 'spectator' }));
  // A broker that goes away is told by whoever started it.
  client.on('error', () => undefined);
  client.on('message', (topic, payload, { retain }) => {
    const heard = readHeard(base, { topic, payload, retained: retain });
    picture.take(heard);
    onHeard(heard);
    for (const look of waiting) look();
  });
  await client.subscribeAsync(`${base}/#`, { qos: 1 });

  return {
    picture,
    until: (what, find) =>
      waits.during(
        what,
        new Promise((resolve) => {
          const look = (): void => {
            const found = find(picture);
            if (found === undefined) return;
            waiting.delete(look);
            resolve(found);
          };
          waiting.add(look);
          look();
        }),
      ),
    publish: async (topic, payload) => {
      await client.publishAsync(formatTopic(base, topic), payload, { qos: 1 });
    },
    close: () => client.endAsync(true),
  };
}

function createPicture(): Picture & { take(heard: Heard): void } {
  const states = new Map<string, State>();
  const statuses = new Map<string, Status>();
  const outputs = new Map<string, string>();
  const responses = new Map<string, Response>();
  let mesh: MeshState | undefined;

  function takeMessage(heard: HeardMessage): void {
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
    take(heard) {
      if (heard.type === 'message') takeMessage(heard);
    },
  };
}
