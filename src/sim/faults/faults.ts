/**
 * Injects the planned faults into a world and ends each of them at its time. Healing ends all of them at once.
 */
import { aimStrikes } from './fault-trigger.js';
import { PAUSE_GRACE_MS, WAKE_GRACE_MS } from '../checks/twice-checks.js';
import type { FaultTrigger, PlannedFault, TimedFault } from '../plan/plan.js';
import { NO_FLAWS } from '../parts/sim-broker.js';
import { PERFECT_PATHS } from '../parts/sim-direct.js';
import { publishImpostorBirth, publishRetainedCommands, takeOverClientId } from './strangers.js';
import type { SimNode } from '../parts/sim-node.js';
import type { World } from '../world.js';

/** Schedules a fault. */
export function scheduleFault(fault: PlannedFault, world: World): void {
  world.timeline.after(fault.at, () => {
    if (fault.kind === 'trigger') armTrigger(fault, world);
    else strikeNow(fault, world);
  });
}

function armTrigger(trigger: FaultTrigger, world: World): void {
  const { timeline, plan } = world;
  world.triggers.add(trigger, (stepper) => {
    world.log(`${stepper} at ${trigger.step}`);
    for (const fault of aimStrikes(trigger, stepper, timeline.now(), plan.safetyMs)) {
      // A fault without a delay strikes before the step is done, while the node is in the middle of it.
      if (fault.at === timeline.now()) strikeNow(fault, world);
      else timeline.after(fault.at - timeline.now(), () => strikeNow(fault, world));
    }
  });
}

function strikeNow(fault: TimedFault, world: World): void {
  world.log(`FAULT ${describePlannedFault(fault)}`);
  world.faultCount += 1;
  const undo = strike(fault, world);
  if ('until' in fault) world.timeline.after(fault.until - fault.at, undo);
}

/** One line that describes a fault. */
export function describePlannedFault(fault: PlannedFault): string {
  if (fault.kind === 'trigger') {
    const { node, step, nth, at, strikes } = fault;
    return `trigger at ${at} node ${node} step ${step} nth ${nth}: ${strikes.map(describePlannedFault).join(', ')}`;
  }
  const { kind, at, ...rest } = fault;
  const details = Object.entries(rest).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? Math.round(value * 100) / 100 : String(value)}`,
  );
  return `${kind} at ${Math.round(at)} ${details.join(' ')}`;
}

/** Injects a fault and returns the function that ends it. */
function strike(fault: TimedFault, world: World): () => void {
  const node = 'node' in fault ? world.nodes.get(fault.node) : undefined;
  switch (fault.kind) {
    case 'crash':
      node?.crash();
      return () => node?.start();
    case 'host-renamed':
      node?.crash();
      node?.renameHost();
      return () => node?.start();
    case 'rollback': {
      const restore = node?.snapshot();
      const from = world.timeline.now();
      return () => {
        // If it has published no state since, nobody can tell that its journal is old: a limit in
        // docs/internals/reliability.md.
        if ((world.statePublishedAt.get(fault.node) ?? 0) <= from) return;
        restore?.();
        world.rollbacks.push({ node: fault.node, from, to: world.timeline.now() });
        node?.start();
      };
    }
    case 'pause':
      return pause(node, world);
    case 'power-loss':
      node?.losePower();
      return () => node?.start();
    case 'stall':
      node?.host.stall();
      return () => node?.host.resume();
    case 'suspend':
      return suspend(node, world);
    case 'disk-full':
      return fillDisk(node);
    case 'disk-short':
      node?.diskSpace.limit(fault.leaves, fault.told);
      return () => node?.diskSpace.lift();
    case 'clock-jump':
      whenAwake(node, () => node?.host.clocks.jumpWall(fault.byMs));
      return () => undefined;
    case 'boot-jump':
      whenAwake(node, () => node?.host.clocks.jumpBoot(fault.byMs));
      return () => undefined;
    case 'boot-fails':
      node?.host.clocks.failBoot(fault.how);
      return () => node?.host.clocks.failBoot(undefined);
    case 'cut': {
      const cut = { from: fault.from, to: fault.to };
      world.network.cut(cut);
      return () => world.network.restore(cut);
    }
    case 'closed': {
      const door = { from: fault.from, to: fault.to };
      world.network.refuse(door);
      return () => world.network.accept(door);
    }
    case 'unreachable':
      return refuseConnections(fault.node, world);
    case 'bad-direct-paths':
      world.directPaths.flaws = fault;
      return () => {
        world.directPaths.flaws = PERFECT_PATHS;
      };
    case 'impostor':
      publishImpostorBirth(fault.node, world);
      return () => undefined;
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
      takeOverClientId(fault.node, world);
      return () => undefined;
    case 'redelivery':
      world.broker.redeliver(fault.node, fault.sinceMs);
      return () => undefined;
    case 'retained-command':
      publishRetainedCommands(fault.node, world);
      return () => undefined;
  }
}

function suspend(node: SimNode | undefined, world: World): () => void {
  node?.machine.suspend();
  node?.host.stall();
  return () => {
    node?.machine.wake();
    node?.host.resume();
    if (node !== undefined) world.timeline.after(WAKE_GRACE_MS + 1, () => world.invariants.machineWoke(node.machine));
  };
}

/** Sets a machine's clocks: at once, or a while after it has woken up. */
function whenAwake(node: SimNode | undefined, act: () => void): void {
  if (node?.machine.suspended === true) node.machine.when(CLOCK_SET_AFTER_MS, act);
  else act();
}

const CLOCK_SET_AFTER_MS = 1000;

function pause(node: SimNode | undefined, world: World): () => void {
  if (node === undefined || node.machine.suspended) return () => undefined;
  node.machine.pause();
  node.host.pause();
  // The broker drops its connection meanwhile.
  const vanish = world.timeline.after(KEEPALIVE_EXPIRES_MS, () => world.broker.vanishFrom(node.id));
  return () => {
    vanish();
    node.host.resume();
    node.machine.wake();
    world.timeline.after(PAUSE_GRACE_MS + 1, world.invariants.checkRunning);
  };
}

function refuseConnections(id: string, { directPaths, plan }: World): () => void {
  const meant = plan.nodes.filter((node) => id === '*' || id === node);
  for (const node of meant) directPaths.unreachable.add(node);
  return () => {
    for (const node of meant) directPaths.unreachable.delete(node);
  };
}

/** The broker drops a client that was silent for this time, ms. */
const KEEPALIVE_EXPIRES_MS = 9000;

function fillDisk(node: SimNode | undefined): () => void {
  const set = (full: boolean): void => {
    if (node === undefined) return;
    node.disk.full = full;
    node.diskSpace.markChanged();
  };
  set(true);
  return () => set(false);
}

/** Ends every fault, and starts every node and the broker if they are down. */
export function heal(world: World): void {
  world.log('HEAL');
  world.triggers.clear();
  world.network.restoreAll();
  world.network.slowDown(0);
  world.directPaths.flaws = PERFECT_PATHS;
  world.directPaths.unreachable.clear();
  world.broker.setFlaws(NO_FLAWS);
  world.broker.start(false);
  for (const node of world.nodes.values()) {
    world.broker.slow(node.id, 0);
    node.disk.full = false;
    node.diskSpace.lift();
    node.host.clocks.failBoot(undefined);
    if (node.machine.suspended) node.machine.wake();
    if (node.host.stalled) node.host.resume();
    node.start();
  }
  // Where a command was left retained, all nodes reconnect and receive it again: they must not obey it.
  if (world.misledNodes.size === 0) return;
  world.timeline.after(RECONNECT_MS, () => {
    world.broker.stop();
    world.broker.start(false);
  });
}

/** Later than the users' last request to resume drained nodes, ms. */
const RECONNECT_MS = 30_000;
