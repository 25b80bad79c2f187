/**
 * Faults strike a world, each at its time, and end at theirs; healing ends all of them at once.
 */
import { formatTopic } from '../protocol/topics.js';
import { aimStrikes } from './ambushes.js';
import type { Ambush, Fault, TimedFault } from './plan.js';
import { NO_FLAWS } from './sim-broker.js';
import type { SimNode } from './sim-node.js';
import type { World } from './world.js';

/** Lets a fault strike when its time comes. */
export function schedule(fault: Fault, world: World): void {
  world.timeline.after(fault.at, () => {
    if (fault.kind === 'ambush') layAmbush(fault, world);
    else strikeNow(fault, world);
  });
}

function layAmbush(ambush: Ambush, world: World): void {
  const { timeline, plan } = world;
  world.ambushes.lay(ambush, (stepper) => {
    world.say(`${stepper} at ${ambush.step}`);
    for (const fault of aimStrikes(ambush, stepper, timeline.now(), plan.safetyMs)) {
      // At once means before the step is done: the node is in the midst of it.
      if (fault.at === timeline.now()) strikeNow(fault, world);
      else timeline.after(fault.at - timeline.now(), () => strikeNow(fault, world));
    }
  });
}

function strikeNow(fault: TimedFault, world: World): void {
  world.say(`FAULT ${describeFault(fault)}`);
  world.struck += 1;
  const mend = strike(fault, world);
  if ('until' in fault) world.timeline.after(fault.until - fault.at, mend);
}

/** One line for a fault. */
export function describeFault(fault: Fault): string {
  if (fault.kind === 'ambush') {
    const { node, step, nth, at, strikes } = fault;
    return `ambush at ${at} node ${node} step ${step} nth ${nth}: ${strikes.map(describeFault).join(', ')}`;
  }
  const { kind, at, ...rest } = fault;
  const details = Object.entries(rest).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? Math.round(value * 100) / 100 : String(value)}`,
  );
  return `${kind} at ${Math.round(at)} ${details.join(' ')}`;
}

/** Makes it happen; gives what ends it. */
function strike(fault: TimedFault, world: World): () => void {
  const node = 'node' in fault ? world.nodes.get(fault.node) : undefined;
  switch (fault.kind) {
    case 'crash':
      node?.crash();
      return () => node?.start();
    case 'power-loss':
      node?.losePower();
      return () => node?.start();
    case 'stall':
      node?.host.stall();
      return () => node?.host.resume();
    case 'suspend':
      return suspend(node);
    case 'disk-full':
      return fillDisk(node);
    case 'clock-jump':
      node?.host.jumpWall(fault.byMs);
      return () => undefined;
    case 'cut': {
      const cut = { from: fault.from, to: fault.to };
      world.network.cut(cut);
      return () => world.network.mend(cut);
    }
    case 'slow-network':
      world.network.slowDown(fault.ms);
      return () => world.network.slowDown(0);
    case 'slow-subscriber':
      world.broker.slow(fault.node, fault.ms);
      return () => world.broker.slow(fault.node, 0);
    case 'bad-broker':
      world.broker.setFlaws(fault);
      return () => world.broker.setFlaws(NO_FLAWS);
    case 'broker-down':
      world.broker.stop();
      return () => world.broker.start(fault.forgets);
    case 'take-over':
      takeOver(fault.node, world);
      return () => undefined;
    case 'redelivery':
      world.broker.redeliver(fault.node, fault.sinceMs);
      return () => undefined;
    case 'retained-command':
      leaveCommands(fault.node, world);
      return () => undefined;
  }
}

function suspend(node: SimNode | undefined): () => void {
  node?.machine.suspend();
  node?.host.stall();
  return () => {
    node?.machine.wake();
    node?.host.resume();
  };
}

function fillDisk(node: SimNode | undefined): () => void {
  if (node !== undefined) node.disk.full = true;
  return () => {
    if (node !== undefined) node.disk.full = false;
  };
}

/** Another client takes the node's name for a moment: the node is thrown out and its will is said. */
function takeOver(id: string, world: World): void {
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
function leaveCommands(id: string, world: World): void {
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

/** Ends every fault, and starts what is down. */
export function heal(world: World): void {
  world.say('HEAL');
  world.ambushes.clear();
  world.network.mendAll();
  world.network.slowDown(0);
  world.broker.setFlaws(NO_FLAWS);
  world.broker.start(false);
  for (const node of world.nodes.values()) {
    world.broker.slow(node.id, 0);
    node.disk.full = false;
    if (node.machine.suspended) node.machine.wake();
    if (node.host.stalled) node.host.resume();
    node.start();
  }
  // Where a command was left retained, everybody connects once more and hears it again: it must not be obeyed.
  if (world.misled.size === 0) return;
  world.timeline.after(RECONNECT_MS, () => {
    world.broker.stop();
    world.broker.start(false);
  });
}

/** After people have resumed what was drained, ms. */
const RECONNECT_MS = 30_000;
