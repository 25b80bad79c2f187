/**
 * What people do in a world: they submit work, cancel it, ask for it to be moved, and drain nodes.
 */
import type { Item } from '../protocol/item.js';
import { formatTopic } from '../protocol/topics.js';
import type { Submission } from './plan.js';
import { BROKER_PLACE } from './network.js';
import type { World } from './world.js';

const LOOK_AGAIN_MS: readonly number[] = [2000, 15_000];

/** Lets people do what the plan says. */
export function scheduleWork(world: World): void {
  for (const work of world.plan.submissions) world.timeline.after(work.at, () => submit(work, world));
  for (const drain of world.plan.drains) {
    world.timeline.after(drain.at, () => setDrain(drain.node, 'ON', world));
    world.timeline.after(drain.until, () => setDrain(drain.node, 'OFF', world));
  }
  // A message may be lost: whoever drained a node looks again, and again, when all is well.
  for (const laterMs of LOOK_AGAIN_MS) {
    world.timeline.after(world.plan.safetyMs + laterMs, () => {
      for (const node of findDrained(world)) setDrain(node, 'OFF', world);
    });
  }
}

/** Nodes that somebody told to drain, on purpose or by carelessness: a retained message is obeyed by who hears it live. */
function findDrained(world: World): ReadonlySet<string> {
  return new Set([...world.plan.drains.map((drain) => drain.node), ...world.misled]);
}

function submit(work: Submission, world: World): void {
  const node = world.nodes.get(work.node)?.node;
  if (node === undefined) return;
  node.submit(toItem(work), (error) => {
    if (error === undefined) world.accepted.set(work.item, world.timeline.now());
    world.say(`${work.node} ${error === undefined ? 'took' : 'refused'} ${work.item}`);
  });
  const asks: [string, number | undefined][] = [
    ['cancel', work.cancelAt],
    ['migrate', work.moveAt],
    ...(work.moves ?? []).map((at): [string, number] => ['migrate', at]),
  ];
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
    place: work.place,
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
