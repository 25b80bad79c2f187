/**
 * A small world: one owner, three receivers, one item, a bus that loses, duplicates, delays and reorders messages while
 * faults last, and nodes that crash and restart from their journals. All decisions are made by the pure steps of the
 * core.
 */
import type { Publish } from '../../../src/core/effects.js';
import { isSettled } from '../../../src/core/owner/owned-item.js';
import { createItem } from '../../support/samples.js';
import { describeEffect } from '../../support/effect-text.js';
import { createExecutor } from './executor.js';
import { createOwnerActor, type OwnerActor } from './owner-actor.js';
import { FAULTS_MS, RECEIVERS, type Plan } from './plan.js';
import { createReceiverActor, type ReceiverActor } from './receiver-actor.js';
import { createChance, createTimeline } from './timeline.js';

/** How a world ended. */
export interface WorldResult {
  /** Broken promises, as sentences. */
  readonly violations: readonly string[];
  readonly phase: string;
  readonly starts: number;
  /** The messages on the bus, one line each, for finding the reason of a failure. */
  readonly lines: readonly string[];
}

/** After the faults, the item must settle within this time, ms. */
const HEALING_MS = 120_000;

/** Runs a world to its end. */
export function runWorld(plan: Plan): WorldResult {
  const timeline = createTimeline();
  const chance = createChance(plan.seed);
  const violations: string[] = [];
  const lines: string[] = [];
  const holders = new Map<number, string>();
  const command = { ...createItem().command, migrate: plan.restartable ? ('restart' as const) : ('never' as const) };
  const item = createItem({ retry: plan.retry, attempts: plan.attempts, inputs: plan.inputs ? ['/a'] : [], command });
  const executor = createExecutor(timeline, plan.retry === 'once', (node, guest, ending) =>
    receivers.get(node)?.ended(guest, ending),
  );

  function publish(from: string, message: Publish): void {
    if (message.kind === 'status' || message.kind === 'event') return;
    lines.push(`${timeline.now()} ${from}: ${describeEffect(message)}`);
    if (message.kind === 'ack') checkAck(message.body.epoch, message.body.to);
    const isFromOwner = message.kind === 'offer' || message.kind === 'ack' || message.kind === 'lease';
    for (const to of isFromOwner ? RECEIVERS : ['alpha']) carry(from, to, message);
  }

  function checkAck(epoch: number, to: string): void {
    const holder = holders.get(epoch) ?? to;
    holders.set(epoch, holder);
    if (holder !== to) violations.push(`epoch ${epoch} was acked to ${holder} and to ${to}`);
  }

  function carry(from: string, to: string, message: Publish): void {
    const faulty = timeline.now() < FAULTS_MS;
    if (faulty && chance(99) < plan.dropPercent) return;
    const copies = faulty && chance(99) < plan.twicePercent ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      timeline.after(1 + chance(faulty && chance(5) === 0 ? plan.delayMs : 5), () => deliver(from, to, message));
    }
  }

  function deliver(from: string, to: string, message: Publish): void {
    if (to !== 'alpha') return receivers.get(to)?.handle(message);
    if (message.kind === 'claim') owner.handle({ type: 'ClaimHeard', from, claim: message.body });
    if (message.kind === 'progress') owner.handle({ type: 'ProgressHeard', from, progress: message.body });
    if (message.kind === 'result') owner.handle({ type: 'ResultHeard', from, result: message.body });
  }

  const receivers = new Map<string, ReceiverActor>();
  for (const [index, self] of RECEIVERS.entries()) {
    const parts = {
      self,
      item,
      runMs: plan.runMs,
      lateStartMs: plan.lateStartMs,
      outputs: plan.outputs,
      timeline,
      executor,
      chance,
    };
    receivers.set(
      self,
      createReceiverActor({ ...parts, aheadMs: (index + 1) * 1_000_000, publish: (message) => publish(self, message) }),
    );
  }
  const owner: OwnerActor = createOwnerActor({
    timeline,
    item,
    chance,
    publish: (message) => publish('alpha', message),
    canFetch: (epoch) =>
      [...receivers.values()].some((one) => one.guests().get(`alpha/${item.id}/${epoch}`)?.phase === 'ended'),
  });

  for (const { node, at, downMs } of plan.crashes) {
    const actor = node === 'alpha' ? owner : receivers.get(node);
    timeline.after(at, () => actor?.crash());
    timeline.after(Math.min(at + downMs, FAULTS_MS), () => actor?.restart());
  }
  if (plan.cancelAt !== undefined)
    timeline.after(plan.cancelAt, () => owner.handle({ type: 'CancelAsked', reason: 'asked' }));
  if (plan.moveAt !== undefined)
    timeline.after(plan.moveAt, () => owner.handle({ type: 'MoveAsked', reason: 'asked', to: null }));

  const isOver = (): boolean => {
    const phase = owner.state()?.phase;
    return (
      phase !== undefined &&
      (isSettled(phase) || phase === 'lost') &&
      [...receivers.values()].every((one) => one.isUp() && one.guests().size === 0)
    );
  };
  timeline.run(FAULTS_MS, () => false);
  timeline.run(FAULTS_MS + HEALING_MS, isOver);
  if (!isOver()) {
    const left = [...receivers.entries()].flatMap(([node, one]) =>
      [...one.guests().values()].map((guest) => `${node} ${guest.phase} ${guest.epoch}`),
    );
    violations.push(
      `it did not settle: ${owner.state()?.phase ?? 'down'} (${owner.state()?.reason ?? ''}); guests left: ${left.join(', ')}`,
    );
  }
  if (executor.countRunning() > 0) violations.push('a process still runs');
  const phase = owner.state()?.phase ?? 'down';
  if (phase === 'lost' && plan.retry !== 'once') violations.push('a rerun item was lost');
  if (phase === 'done' && executor.starts === 0) violations.push('the item is done, but it never ran');
  return { violations: [...violations, ...executor.violations], phase, starts: executor.starts, lines };
}
