/**
 * Generates plans in which the broker is down for longer than a lease, up to hours, or flaps, while jobs run away from
 * their owners. If owner and receiver reach each other on the direct path, no such job may be ended or started again.
 */
import { RECONNECT_WITHIN_MS, generateAimedOutage, type OutageVariant, type Outage } from './generate-aimed-outages.js';
import type { PlannedFault, LoadChange, Plan, Submission } from './plan.js';
import type { Random } from './random.js';

type PlanPart = Pick<Plan, 'submissions' | 'loads' | 'drains' | 'faults' | 'startsOnce' | 'safetyMs' | 'dies'> &
  Partial<Pick<Plan, 'nodes'>>;

/** Generates such a plan. */
export function generateOutages(random: Random, nodes: readonly string[], slots: number): PlanPart {
  const at = random.between(9000, 14_000);
  const owner = random.pick(nodes);
  const outage = { owner, at, until: at + generateDuration(random), forgets: random.chance(0.5) };
  const more = generateVariant(random, nodes, outage);
  const until = more.until ?? outage.until;
  return {
    submissions: more.jobs ?? generateJobs(random, outage, Math.max(1, slots * (nodes.length - 1))),
    // The owner is overloaded: all of its work runs elsewhere.
    loads: (more.nodes ?? nodes).map((node): LoadChange => ({
      at: 0,
      node,
      ratio: node === owner ? (more.ownerRatio ?? 0.9) : 0.1,
    })),
    drains: [],
    faults: [...more.faults, ...(more.replaces === true ? [] : [createOutageFault(outage, outage.at, outage.until)])],
    safetyMs: until + RECONNECT_WITHIN_MS,
    ...(more.excuses === true ? {} : { startsOnce: true }),
    ...(more.dies === undefined ? {} : { dies: more.dies }),
    ...(more.nodes === undefined ? {} : { nodes: more.nodes }),
  };
}

/** Mostly a few leases, sometimes up to an hour, ms. */
function generateDuration(random: Random): number {
  const kind = random.next();
  if (kind < 0.7) return random.between(12_000, 50_000);
  return kind < 0.9 ? random.between(50_000, 200_000) : random.between(700_000, 3_600_000);
}

function createOutageFault({ forgets }: Outage, at: number, until: number): PlannedFault {
  return { kind: 'broker-down', forgets, at, until };
}

/** Jobs that end during the outage or after it. Some are submitted just before it begins. */
function generateJobs(random: Random, { owner, at, until }: Outage, count: number): Submission[] {
  const jobs = random.between(1, Math.min(4, count));
  return Array.from({ length: jobs }, (_, index): Submission => ({
    at: random.between(3000, at - 1500),
    node: owner,
    item: `i${index}`,
    takesMs: random.chance(0.7)
      ? random.between(at - 2000, Math.min(until, at + 90_000))
      : random.between(4000, at + 20_000),
    retry: random.chance(0.4) ? 'once' : 'rerun',
    migrate: 'never',
    withInputs: random.chance(0.4),
    place: 'any',
    deferred: false,
    cpus: 1,
    cancelAt: undefined,
    moveAt: undefined,
  }));
}

function generateVariant(random: Random, nodes: readonly string[], outage: Outage): OutageVariant {
  const kinds = [
    [0.12, () => ({ faults: [] })],
    [0.08, () => generateOneSideUnreachable(random, nodes, outage)],
    [0.05, () => ({ faults: generateBadDirectPaths(random, outage) })],
    [0.06, () => generateRestart(random, nodes, outage)],
    [0.06, () => generateFlaps(random, outage)],
    [0.05, () => generateImpostor(random, outage, nodes)],
    [0.05, () => generateNoPath(random, outage)],
    [0.06, () => generateSilence(random, nodes, outage)],
  ] as const;
  let left = random.next();
  for (const [share, generate] of kinds) {
    left -= share;
    if (left < 0) return generate();
  }
  return generateAimedOutage(random, nodes, outage);
}

/** The owner, or all the other nodes, can call but not be called. */
function generateOneSideUnreachable(
  random: Random,
  nodes: readonly string[],
  { owner, at, until }: Outage,
): OutageVariant {
  const shut = random.chance(0.5) ? [owner] : nodes.filter((node) => node !== owner);
  const from = random.chance(0.5) ? 0 : at - 1000;
  return { faults: shut.map((node) => ({ kind: 'unreachable', node, at: from, until: until + RECONNECT_WITHIN_MS })) };
}

/** Answers are late, by less than a lease. */
function generateBadDirectPaths(random: Random, { at, until }: Outage): PlannedFault[] {
  const flaws = { losses: 0.1 * random.next(), duplicates: 0.5 * random.next(), lateMs: random.between(0, 700) };
  return [{ kind: 'bad-direct-paths', ...flaws, at: at - 1000, until }];
}

/** A node restarts without its broker. Its jobs have been running for a while by then. */
function generateRestart(random: Random, nodes: readonly string[], { at, until }: Outage): OutageVariant {
  const from = random.between(at + 1000, Math.max(at + 2000, Math.min(until, at + 40_000) - 6000));
  const crash = { node: random.pick(nodes), at: from, until: from + random.between(100, 2500) };
  return { faults: [{ kind: 'crash', ...crash }] };
}

/** The bus flaps faster than a lease ends. */
function generateFlaps(random: Random, outage: Outage): OutageVariant {
  const [upMs, downMs] = [random.between(2000, 12_000), random.between(2000, 14_000)];
  const count = random.between(3, 6);
  const faults = Array.from({ length: count }, (_, index) => {
    const at = outage.at + index * (upMs + downMs);
    return createOutageFault(outage, at, at + downMs);
  });
  return { faults, replaces: true, until: outage.at + count * (upMs + downMs) };
}

/**
 * When the broker returns, an impostor takes a partner's id. That partner was silent for longer than ids are reserved.
 */
function generateImpostor(random: Random, { owner, at, forgets }: Outage, nodes: readonly string[]): OutageVariant {
  const until = at + 660_000;
  // The id of a third node, with which there is no work, may be taken by anyone by then.
  const node = nodes.find((one) => one !== owner) ?? owner;
  const faults: readonly PlannedFault[] = [
    { kind: 'broker-down', forgets: true, at, until },
    // The real node must not be heard first.
    { kind: 'cut', from: node, to: 'broker', at: until - 1000, until: until + 14_000 },
    { kind: 'impostor', node, at: until + 1 },
  ];
  const jobs = generateJobs(random, { owner, at, until, forgets }, 1).map((job) => ({
    ...job,
    takesMs: until - job.at + random.between(3000, 12_000),
  }));
  return { faults, replaces: true, until: until + 14_000, jobs, nodes: [owner, node] };
}

/** No node accepts connections: an outage ends every job whose lease it outlasts. */
function generateNoPath(random: Random, { at, until }: Outage): OutageVariant {
  return {
    faults: [{ kind: 'unreachable', node: '*', at: random.chance(0.5) ? 0 : at, until: until + RECONNECT_WITHIN_MS }],
    excuses: true,
  };
}

/** A node is suspended, crashes or is cut off during the outage, and may return only after it. */
function generateSilence(random: Random, nodes: readonly string[], { at, until }: Outage): OutageVariant {
  const node = random.pick(nodes);
  const from = random.between(at - 2000, at + 8000);
  const times = { at: from, until: random.chance(0.5) ? until + random.between(-8000, 8000) : from + 20_000 };
  const kind = random.next();
  if (kind < 0.4) return { faults: [{ kind: 'suspend', node, ...times }], excuses: true };
  if (kind < 0.7) return { faults: [{ kind: 'crash', node, ...times }], excuses: true };
  const cuts = [
    { kind: 'cut', from: node, to: '*', ...times },
    { kind: 'cut', from: '*', to: node, ...times },
  ] as const;
  return { faults: random.chance(0.5) ? cuts : cuts.slice(0, 1), excuses: true };
}
