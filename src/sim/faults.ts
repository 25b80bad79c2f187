/**
 * Faults strike a world, each at its time, and end at theirs; healing ends all of them at once.
 */
import { aimStrikes } from './ambushes.js';
import { PAUSE_GRACE_MS, WAKE_GRACE_MS } from './twice-checks.js';
import type { Ambush, Fault, TimedFault } from './plan.js';
import { NO_FLAWS } from './sim-broker.js';
import { GOOD_LINES } from './sim-direct.js';
import { bearImpostor, leaveCommands, takeOver } from './strangers.js';
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
    case 'host-renamed':
      node?.crash();
      node?.renameHost();
      return () => node?.start();
    case 'set-back': {
      const setBack = node?.snapshot();
      const from = world.timeline.now();
      return () => {
        // What it did since is known to nobody but by a direct path: the limit of RELIABILITY.md.
        if ((world.stateSaidAt.get(fault.node) ?? 0) <= from) return;
        setBack?.();
        world.setBacks.push({ node: fault.node, from, to: world.timeline.now() });
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
      node?.room.squeeze(fault.leaves, fault.told);
      return () => node?.room.relax();
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
      return () => world.network.mend(cut);
    }
    case 'closed': {
      const door = { from: fault.from, to: fault.to };
      world.network.close(door);
      return () => world.network.reopen(door);
    }
    case 'shut-door':
      return shutDoor(fault.node, world);
    case 'bad-lines':
      world.lines.flaws = fault;
      return () => {
        world.lines.flaws = GOOD_LINES;
      };
    case 'impostor':
      bearImpostor(fault.node, world);
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

function suspend(node: SimNode | undefined, world: World): () => void {
  node?.machine.suspend();
  node?.host.stall();
  return () => {
    node?.machine.wake();
    node?.host.resume();
    if (node !== undefined) world.timeline.after(WAKE_GRACE_MS + 1, () => world.checkers.woken(node.machine));
  };
}

/** Nobody sets the clocks of a machine that sleeps; what will, begins some while after it woke. */
function whenAwake(node: SimNode | undefined, act: () => void): void {
  if (node?.machine.suspended === true) node.machine.when(SETTING_MS, act);
  else act();
}

const SETTING_MS = 1000;

function pause(node: SimNode | undefined, world: World): () => void {
  if (node === undefined || node.machine.suspended) return () => undefined;
  node.machine.pause();
  node.host.pause();
  // Its broker gives it up meanwhile.
  const vanish = world.timeline.after(GIVEN_UP_MS, () => world.broker.vanishFrom(node.id));
  return () => {
    vanish();
    node.host.resume();
    node.machine.wake();
    world.timeline.after(PAUSE_GRACE_MS + 1, world.checkers.lookAgain);
  };
}

function shutDoor(id: string, { lines, plan }: World): () => void {
  const meant = plan.nodes.filter((node) => id === '*' || id === node);
  for (const node of meant) lines.shut.add(node);
  return () => {
    for (const node of meant) lines.shut.delete(node);
  };
}

/** After so long without a word the broker takes a client for dead, ms. */
const GIVEN_UP_MS = 9000;

function fillDisk(node: SimNode | undefined): () => void {
  const set = (full: boolean): void => {
    if (node === undefined) return;
    node.disk.full = full;
    node.room.note();
  };
  set(true);
  return () => set(false);
}

/** Ends every fault, and starts what is down. */
export function heal(world: World): void {
  world.say('HEAL');
  world.ambushes.clear();
  world.network.mendAll();
  world.network.slowDown(0);
  world.lines.flaws = GOOD_LINES;
  world.lines.shut.clear();
  world.broker.setFlaws(NO_FLAWS);
  world.broker.start(false);
  for (const node of world.nodes.values()) {
    world.broker.slow(node.id, 0);
    node.disk.full = false;
    node.room.relax();
    node.host.clocks.failBoot(undefined);
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
