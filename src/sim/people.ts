/**
 * What people do in a world: they submit work, cancel it, ask for it to be moved, and drain nodes.
 */
import type { Item } from '../protocol/item.js';
import { formatTopic } from '../protocol/topics.js';
import type { Plan, Submission } from './plan.js';
import { BROKER_PLACE } from './network.js';
import type { World } from './world.js';

/** Lets people do what the plan says. */
export function scheduleWork(world: World): void {
  for (const work of world.plan.submissions) world.timeline.after(work.at, () => submit(work, world));
  for (const drain of world.plan.drains) {
    world.timeline.after(drain.at, () => setDrain(drain.node, 'ON', world));
    world.timeline.after(drain.until, () => setDrain(drain.node, 'OFF', world));
  }
  // Whoever drained a node by a message that was lost looks again when all is well.
  world.timeline.after(world.plan.safetyMs + 2000, () => {
    for (const { node } of world.plan.drains) setDrain(node, 'OFF', world);
  });
}

function submit(work: Submission, world: World): void {
  const node = world.nodes.get(work.node)?.node;
  if (node === undefined) return;
  node.submit(toItem(work), (error) => {
    if (error === undefined) world.accepted.add(work.item);
    world.say(`${work.node} ${error === undefined ? 'took' : 'refused'} ${work.item}`);
  });
  const asks = [
    ['cancel', work.cancelAt],
    ['migrate', work.moveAt],
  ] as const;
  for (const [verb, at] of asks) {
    if (at === undefined) continue;
    const topic = formatTopic(world.base, { kind: 'request', node: work.node, verb });
    world.timeline.after(at - work.at, () => tell(topic, JSON.stringify({ item: work.item }), world));
  }
}

function toItem(work: Submission): Item {
  return {
    item: work.item,
    name: 'sim',
    command: { argv: ['sim', work.item], env: {}, outputs: [], migrate: work.migrate },
    need: { cpus: work.cpus, labels: [], abilities: [] },
    inputs: work.withInputs ? ['/in/data'] : [],
    place: 'any',
    retry: work.retry,
    attempts: 50,
    deferred: work.deferred,
    submitted_at: '',
  };
}

function setDrain(node: string, value: 'ON' | 'OFF', world: World): void {
  world.say(`person drains ${node}: ${value}`);
  tell(formatTopic(world.base, { kind: 'set', node, key: 'drain' }), value, world);
}

/** A person with mosquitto_pub, next to the broker. */
function tell(topic: string, payload: string, world: World): void {
  const person = {
    clientId: 'person',
    place: BROKER_PLACE,
    will: undefined,
    deliver: () => undefined,
    drop: () => undefined,
  };
  if (!world.broker.connect(person)) return;
  world.broker.publish(person, { topic, payload, qos: 1, retain: false });
  world.broker.leave(person);
}

/** The load ratio that the plan gives a node at a moment. */
export function ratioAt(plan: Plan, node: string, at: number): number {
  // In the end all are idle: what waits for an idle mesh has no excuse then.
  if (at > plan.safetyMs) return 0.05;
  let ratio = 0.1;
  let since = -1;
  for (const change of plan.loads) {
    if (change.node !== node || change.at > at || change.at < since) continue;
    ratio = change.ratio;
    since = change.at;
  }
  return ratio;
}
