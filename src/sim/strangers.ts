/**
 * Clients of the broker that are no nodes: one that takes a node's name for a moment, a careless person, and one that says to be somebody
 * else.
 */
import { sealMessage } from '../protocol/envelope.js';
import { formatTopic } from '../protocol/topics.js';
import type { SimClient } from './sim-broker.js';
import { createSimIdentity } from './sim-identity.js';
import type { World } from './world.js';

/** Another client takes the node's name for a moment: the node is thrown out and its will is said. */
export function takeOver(id: string, world: World): void {
  const rival = {
    clientId: `${world.base}-${id}`,
    place: 'broker',
    will: undefined,
    deliver: () => undefined,
    drop: () => undefined,
  };
  if (world.broker.connect(rival)) world.timeline.after(100, () => world.broker.leave(rival));
}

/** Commands and work that somebody left on the bus as retained messages: nobody may obey them. */
export function leaveCommands(id: string, world: World): void {
  const person = {
    clientId: 'careless',
    place: 'broker',
    will: undefined,
    deliver: () => undefined,
    drop: () => undefined,
  };
  if (!world.broker.connect(person)) return;
  world.misled.add(id);
  const drain = formatTopic(world.base, { kind: 'set', node: id, key: 'drain' });
  world.broker.publish(person, { topic: drain, payload: 'ON', qos: 1, retain: true });
  world.broker.leave(person);
}

/** A birth under another's id, signed with a key of its own; the broker keeps it. */
export function bearImpostor(id: string, world: World): void {
  const stranger: SimClient = {
    clientId: 'impostor',
    place: 'broker',
    will: undefined,
    deliver: () => undefined,
    drop: () => undefined,
  };
  if (!world.broker.connect(stranger)) return;
  const identity = createSimIdentity(`impostor of ${id}`);
  const topic = formatTopic(world.base, { kind: 'info', node: id });
  const body = {
    key: identity.publicKey,
    host: id,
    os: 'sim',
    arch: 'sim',
    cpus: 1,
    memory_bytes: 1,
    version: 'sim',
    transports: ['https'],
    abilities: [],
    labels: [],
  };
  const stamp = { ts: '2026-01-01T00:00:00.000Z', boot: IMPOSTOR_BOOT, seq: 1 };
  world.broker.publish(stranger, {
    topic,
    payload: sealMessage(topic, body, stamp, identity.sign),
    qos: 1,
    retain: true,
  });
  world.broker.leave(stranger);
}

/** Later than that of any run. */
const IMPOSTOR_BOOT = 9_000_000_000;
