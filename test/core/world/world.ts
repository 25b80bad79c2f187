/**
 * A small world: one owner, three receivers, one item, a bus that loses, doubles, delays and reorders while faults last,
 * and nodes that die and come back from their journals. Only the pure steps of core decide in it.
 */
import type { Say } from '../../../src/core/effects.js';
import { isSettled } from '../../../src/core/owner/owned-item.js';
import { createItem } from '../samples.js';
import { describeEffect } from '../effect-text.js';
import { createExecutor } from './executor.js';
import { createOwnerActor, type OwnerActor } from './owner-actor.js';
import { FAULTS_MS, RECEIVERS, type Plan } from './plan.js';
import { createReceiverActor, type ReceiverActor } from './receiver-actor.js';
import { createChance, createTimeline } from './timeline.js';

/** What became of a world. */
export interface Fate {
  /** Promises that were broken, as sentences. */
  readonly violations: readonly string[];
  readonly phase: string;
  readonly starts: number;
  /** What went over the bus, one line each, for a person who looks for the reason. */
  readonly lines: readonly string[];
}

/** Once faults are over an item must settle within this time. */
const HEALING_MS = 120_000;

/** Lives a world to its end. */
export function live(plan: Plan): Fate {
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

  function say(from: string, message: Say): void {
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

  function carry(from: string, to: string, message: Say): void {
    const faulty = timeline.now() < FAULTS_MS;
    if (faulty && chance(99) < plan.dropPercent) return;
    const copies = faulty && chance(99) < plan.twicePercent ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      timeline.after(1 + chance(faulty && chance(5) === 0 ? plan.delayMs : 5), () => deliver(from, to, message));
    }
  }

  function deliver(from: string, to: string, message: Say): void {
    if (to !== 'alpha') return receivers.get(to)?.hear(message);
    if (message.kind === 'claim') owner.hear({ type: 'ClaimHeard', from, claim: message.body });
    if (message.kind === 'progress') owner.hear({ type: 'ProgressHeard', from, progress: message.body });
    if (message.kind === 'result') owner.hear({ type: 'ResultHeard', from, result: message.body });
  }

  const receivers = new Map<string, ReceiverActor>();
  for (const [index, self] of RECEIVERS.entries()) {
    const parts = { self, item, runMs: plan.runMs, outputs: plan.outputs, timeline, executor, chance };
    receivers.set(
      self,
      createReceiverActor({ ...parts, aheadMs: (index + 1) * 1_000_000, say: (message) => say(self, message) }),
    );
  }
  const owner: OwnerActor = createOwnerActor({
    timeline,
    item,
    chance,
    say: (message) => say('alpha', message),
    canFetch: (epoch) =>
      [...receivers.values()].some((one) => one.guests().get(`alpha/${item.item}/${epoch}`)?.phase === 'ended'),
  });

  for (const { node, at, downMs } of plan.crashes) {
    const actor = node === 'alpha' ? owner : receivers.get(node);
    timeline.after(at, () => actor?.crash());
    timeline.after(Math.min(at + downMs, FAULTS_MS), () => actor?.restart());
  }
  if (plan.cancelAt !== undefined)
    timeline.after(plan.cancelAt, () => owner.hear({ type: 'CancelAsked', reason: 'asked' }));
  if (plan.moveAt !== undefined)
    timeline.after(plan.moveAt, () => owner.hear({ type: 'MoveAsked', reason: 'asked', to: null }));

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
  if (executor.countLive() > 0) violations.push('something still runs');
  const phase = owner.state()?.phase ?? 'down';
  if (phase === 'lost' && plan.retry !== 'once') violations.push('a rerun item was lost');
  if (phase === 'done' && executor.starts === 0) violations.push('it is done and never ran');
  return { violations: [...violations, ...executor.violations], phase, starts: executor.starts, lines };
}
