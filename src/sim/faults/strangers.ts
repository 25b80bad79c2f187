/**
 * Clients of the broker that are not nodes: one that briefly takes over a node's client id, a careless user, and an
 * impostor.
 */
import { sealMessage } from '../../protocol/envelope.js';
import { formatTopic } from '../../protocol/topics.js';
import type { SimClient } from '../parts/sim-broker.js';
import { createSimIdentity } from '../parts/sim-identity.js';
import type { World } from '../world.js';

/** Another client connects with the node's client id: the broker drops the node and publishes its will. */
export function takeOverClientId(id: string, world: World): void {
  const rival = {
    clientId: `${world.base}-${id}`,
    place: 'broker',
    will: undefined,
    deliver: () => undefined,
    drop: () => undefined,
  };
  if (world.broker.connect(rival)) world.timeline.after(100, () => world.broker.leave(rival));
}

/** A command that a user left on the bus as a retained message: no node may obey it. */
export function publishRetainedCommands(id: string, world: World): void {
  const user = {
    clientId: 'careless',
    place: 'broker',
    will: undefined,
    deliver: () => undefined,
    drop: () => undefined,
  };
  if (!world.broker.connect(user)) return;
  world.misledNodes.add(id);
  const drain = formatTopic(world.base, { kind: 'set', node: id, key: 'drain' });
  world.broker.publish(user, { topic: drain, payload: 'ON', qos: 1, retain: true });
  world.broker.leave(user);
}

/** A retained birth message under the id of a node, signed with another key. */
export function publishImpostorBirth(id: string, world: World): void {
  const impostor: SimClient = {
    clientId: 'impostor',
    place: 'broker',
    will: undefined,
    deliver: () => undefined,
    drop: () => undefined,
  };
  if (!world.broker.connect(impostor)) return;
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
  world.broker.publish(impostor, {
    topic,
    payload: sealMessage(topic, body, stamp, identity.sign),
    qos: 1,
    retain: true,
  });
  world.broker.leave(impostor);
}

/** Higher than the boot of any node. */
const IMPOSTOR_BOOT = 9_000_000_000;
