/**
 * Outages that each aim at one rule. The bugs they look for show only when one side hears and the other does not, when
 * a result is due just as the broker returns, or when the bus flaps while a receiver is dead.
 */
import { STEPPER, type PlannedFault, type Submission } from './plan.js';
import type { Random } from './random.js';

/** An outage of the broker, and the owner whose jobs run during it. Times in ms since the beginning. */
export interface Outage {
  readonly owner: string;
  readonly at: number;
  readonly until: number;
  readonly forgets: boolean;
}

/** How a plan differs from one with a single plain outage. */
export interface OutageVariant {
  readonly faults: readonly PlannedFault[];
  /** Its faults may end jobs, or cause a second start. */
  readonly excuses?: true;
  /** These faults replace the plain outage. */
  readonly replaces?: true;
  readonly until?: number;
  /** Replaces the jobs of a plain outage. */
  readonly jobs?: readonly Submission[];
  readonly ownerRatio?: number;
  /** Replaces the plan's nodes. */
  readonly nodes?: readonly string[];
  readonly dies?: string;
}

/** After an outage, all nodes have reconnected and have been heard again within this time, ms. */
export const RECONNECT_WITHIN_MS = 25_000;

/** Generates one of the aimed outages. */
export function generateAimedOutage(random: Random, nodes: readonly string[], outage: Outage): OutageVariant {
  switch (random.between(0, 5)) {
    case 0:
      return generateOwedResult(random, outage);
    case 1:
      return generateOwedAtReturn(random, nodes, outage);
    case 2:
      return generateLateAnswer(random, outage);
    case 3:
      return generateMute(random, outage);
    case 4:
      return generateCutOwner(random, nodes, outage);
    default:
      return generateDeath(random, nodes, outage);
  }
}

function others(nodes: readonly string[], owner: string): readonly string[] {
  return nodes.filter((node) => node !== owner);
}

function createJob(outage: Outage, at: number, takesMs: number, retry: Submission['retry']): Submission {
  return {
    at,
    node: outage.owner,
    item: 'i0',
    takesMs,
    retry,
    migrate: 'never',
    withInputs: false,
    place: 'away',
    deferred: false,
    cpus: 1,
    cancelAt: undefined,
    moveAt: undefined,
  };
}

/**
 * No node accepts connections, and a job ends just after the broker went down: its result is due for the whole outage.
 */
function generateOwedResult(random: Random, outage: Outage): OutageVariant {
  const at = random.between(4000, 6000);
  const jobs = [createJob(outage, at, outage.at - at + random.between(300, 4500), random.pick(['once', 'rerun']))];
  return { faults: [{ kind: 'unreachable', node: '*', at: 0, until: outage.until + 60_000 }], jobs, ownerRatio: 0.5 };
}

/** The owner's patience is nearly over when the broker goes down: results must be published as soon as it returns. */
function generateOwedAtReturn(random: Random, nodes: readonly string[], outage: Outage): OutageVariant {
  const cutAt = outage.at + random.between(500, 2500);
  const downAt = cutAt + random.between(10_800, 11_500);
  const until = downAt + random.between(20_000, 40_000);
  const at = random.between(4000, 6000);
  return {
    faults: [
      { kind: 'unreachable', node: '*', at: 0, until: until + 60_000 },
      ...others(nodes, outage.owner).flatMap((node): PlannedFault[] => [
        { kind: 'cut', from: node, to: 'broker', at: cutAt, until: until + 1500 },
        { kind: 'cut', from: 'broker', to: node, at: cutAt, until: until + 1500 },
      ]),
      { kind: 'broker-down', forgets: outage.forgets, at: downAt, until },
    ],
    replaces: true,
    until,
    jobs: [createJob(outage, at, cutAt - at + random.between(200, 3000), random.pick(['once', 'rerun']))],
    ownerRatio: 0.5,
  };
}

/** One receiver is off the bus; answers on the direct path are late, and then its network is cut altogether. */
function generateLateAnswer(random: Random, outage: Outage): OutageVariant {
  // The lease survives on answers that come just in time. If they were late from the start, it would end.
  const cutAt = random.between(14_500, 22_000);
  const answersMs = random.between(8300, 9300);
  const healAt = cutAt + random.between(18_000, 26_000);
  return strikeAtRenewal(random, outage, [
    { kind: 'cut', from: STEPPER, to: 'broker', at: 0, until: healAt },
    { kind: 'bad-direct-paths', losses: 0, duplicates: 0.3, lateMs: 0, answersMs, at: 6000, until: cutAt },
    { kind: 'cut', from: STEPPER, to: '*', at: cutAt, until: healAt },
  ]);
}

/** One receiver is off the bus, and nothing that it sends arrives. It still receives its owner's calls. */
function generateMute(random: Random, outage: Outage): OutageVariant {
  const muteAt = random.between(500, 8000);
  const healAt = muteAt + random.between(24_000, 34_000);
  return strikeAtRenewal(random, outage, [
    { kind: 'cut', from: STEPPER, to: 'broker', at: 0, until: healAt },
    { kind: 'cut', from: 'broker', to: STEPPER, at: 0, until: healAt },
    { kind: 'bad-direct-paths', losses: 0, duplicates: 0, lateMs: 0, mute: STEPPER, at: muteAt, until: healAt },
  ]);
}

/** Faults that begin at a renewal of a long job. The broker stays up. */
function strikeAtRenewal(
  random: Random,
  outage: Outage,
  strikes: Extract<PlannedFault, { kind: 'trigger' }>['strikes'],
): OutageVariant {
  return {
    faults: [{ kind: 'trigger', node: '*', step: 'receiver:progress', nth: random.between(3, 6), at: 0, strikes }],
    excuses: true,
    replaces: true,
    until: 70_000,
    jobs: [createJob(outage, random.between(4000, 7000), 60_000, 'rerun')].map((one) => ({ ...one, place: 'any' })),
    ownerRatio: 0.5,
  };
}

/** Only the owner of the jobs is cut off from the broker. */
function generateCutOwner(random: Random, nodes: readonly string[], { owner, at, until }: Outage): OutageVariant {
  const times = { at, until: Math.min(until, at + 120_000) };
  const cuts = [
    { kind: 'cut', from: owner, to: 'broker', ...times },
    { kind: 'cut', from: 'broker', to: owner, ...times },
  ] as const;
  // If it cannot call the others either, it hears only what they send unasked.
  const shut = others(nodes, owner).map((node): PlannedFault => ({
    kind: 'unreachable',
    node,
    at: 0,
    until: times.until,
  }));
  return { faults: [...cuts, ...(random.chance(0.6) ? shut : [])], replaces: true, until: times.until };
}

/** The bus flaps while a receiver is dead: its item must still be offered again. */
function generateDeath(random: Random, nodes: readonly string[], outage: Outage): OutageVariant {
  const [upMs, downMs] = [random.between(7000, 10_000), random.between(1500, 4000)];
  const dies = nodes.find((node) => node !== outage.owner) ?? '';
  const until = outage.at + 5 * (upMs + downMs);
  // It flaps to the end of the plan: a stable bus would resolve the situation, too.
  const count = Math.floor((until + RECONNECT_WITHIN_MS - outage.at) / (upMs + downMs));
  const flaps = Array.from({ length: count }, (_, index): PlannedFault => {
    const at = outage.at + index * (upMs + downMs);
    return { kind: 'broker-down', forgets: outage.forgets, at, until: at + downMs };
  });
  return {
    faults: [...flaps, { kind: 'crash', node: dies, at: outage.at - 1000, until: until + 60_000 }],
    excuses: true,
    replaces: true,
    until,
    dies,
    jobs: [{ ...createJob(outage, random.between(4000, 6000), 60_000, 'rerun'), place: 'any' }],
    ownerRatio: 0.5,
  };
}
