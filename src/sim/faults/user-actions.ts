/**
 * What users do in a world: they submit work, cancel it, request moves of it, and drain nodes.
 */
import type { Item } from '../../protocol/item.js';
import { formatTopic } from '../../protocol/topics.js';
import type { Submission } from '../plan/plan.js';
import { BROKER_PLACE } from '../parts/network.js';
import type { World } from '../world.js';

const RESUME_AGAIN_MS: readonly number[] = [2000, 15_000];

/** Schedules what the plan has users do. */
export function scheduleUserActions(world: World): void {
  for (const work of world.plan.submissions) world.timeline.after(work.at, () => submit(work, world));
  for (const drain of world.plan.drains) {
    world.timeline.after(drain.at, () => setDrain(drain.node, 'ON', world));
    world.timeline.after(drain.until, () => setDrain(drain.node, 'OFF', world));
  }
  // A request to resume may be lost: it is repeated twice after the faults have ended.
  for (const laterMs of RESUME_AGAIN_MS) {
    world.timeline.after(world.plan.safetyMs + laterMs, () => {
      for (const node of listDrained(world)) setDrain(node, 'OFF', world);
    });
  }
}

/** Nodes that may be draining. A node obeys a command with the retain flag if it is connected when it is published. */
function listDrained(world: World): ReadonlySet<string> {
  return new Set([...world.plan.drains.map((drain) => drain.node), ...world.misledNodes]);
}

function submit(work: Submission, world: World): void {
  const node = world.nodes.get(work.node)?.node;
  if (node === undefined) return;
  node.submit(toItem(work), (error) => {
    if (error === undefined) world.accepted.set(work.item, world.timeline.now());
    world.log(`${work.node} ${error === undefined ? 'accepted' : 'refused'} ${work.item}`);
  });
  const requests: [string, number | undefined][] = [
    ['cancel', work.cancelAt],
    ['migrate', work.moveAt],
    ...(work.moves ?? []).map((at): [string, number] => ['migrate', at]),
  ];
  for (const [verb, at] of requests) {
    if (at === undefined) continue;
    const topic = formatTopic(world.base, { kind: 'request', node: work.node, verb });
    world.timeline.after(at - work.at, () => request(topic, JSON.stringify({ item: work.item }), world));
  }
}

function toItem(work: Submission): Item {
  return {
    id: work.item,
    name: 'sim',
    command: { argv: ['sim', work.item], env: {}, outputs: [], migrate: work.migrate },
    need: { cpus: work.cpus, labels: [], abilities: [] },
    inputs: work.withInputs ? ['/in/data'] : [],
    place: work.place,
    retry: work.retry,
    attempts: 50,
    deferred: work.deferred,
    submitted_at: '',
  };
}

function setDrain(node: string, value: 'ON' | 'OFF', world: World): void {
  world.log(`user sets drain of ${node}: ${value}`);
  request(formatTopic(world.base, { kind: 'set', node, key: 'drain' }), value, world);
}

/** Publishes as a user does with mosquitto_pub on the broker's machine. */
function request(topic: string, payload: string, world: World): void {
  const user = {
    clientId: 'user',
    place: BROKER_PLACE,
    will: undefined,
    deliver: () => undefined,
    drop: () => undefined,
  };
  if (!world.broker.connect(user)) return;
  world.broker.publish(user, { topic, payload, qos: 1, retain: false });
  world.broker.leave(user);
}
