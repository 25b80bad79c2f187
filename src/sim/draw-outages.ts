/**
 * Draws plans in which the broker is away for longer than a lease, up to hours, or comes and goes, while jobs run away from their
 * owners. Where owner and receiver reach each other by the direct path, nothing may end such a job or start it again.
 */
import { AFTER_MS, drawAimedOutage, type More, type Outage } from './draw-aimed-outages.js';
import type { Fault, LoadChange, Plan, Submission } from './plan.js';
import type { Random } from './random.js';

type Drawn = Pick<Plan, 'submissions' | 'loads' | 'drains' | 'faults' | 'startsOnce' | 'safetyMs' | 'dies'> &
  Partial<Pick<Plan, 'nodes'>>;

/** Draws what is particular to such a plan. */
export function drawOutages(random: Random, nodes: readonly string[], slots: number): Drawn {
  const at = random.between(9000, 14_000);
  const owner = random.pick(nodes);
  const outage = { owner, at, until: at + drawLength(random), forgets: random.chance(0.5) };
  const more = drawMore(random, nodes, outage);
  const until = more.until ?? outage.until;
  return {
    submissions: more.jobs ?? drawJobs(random, outage, Math.max(1, slots * (nodes.length - 1))),
    // It takes none of its own work, so that all of it runs elsewhere.
    loads: (more.nodes ?? nodes).map((node): LoadChange => ({
      at: 0,
      node,
      ratio: node === owner ? (more.ownerRatio ?? 0.9) : 0.1,
    })),
    drains: [],
    faults: [...more.faults, ...(more.replaces === true ? [] : [down(outage, outage.at, outage.until)])],
    safetyMs: until + AFTER_MS,
    ...(more.excuses === true ? {} : { startsOnce: true }),
    ...(more.dies === undefined ? {} : { dies: more.dies }),
    ...(more.nodes === undefined ? {} : { nodes: more.nodes }),
  };
}

/** Mostly a few leases, now and then an hour. */
function drawLength(random: Random): number {
  const kind = random.next();
  if (kind < 0.7) return random.between(12_000, 50_000);
  return kind < 0.9 ? random.between(50_000, 200_000) : random.between(700_000, 3_600_000);
}

function down({ forgets }: Outage, at: number, until: number): Fault {
  return { kind: 'broker-down', forgets, at, until };
}

/** Some end in the outage, some after it; one or two are asked for when it is about to begin. */
function drawJobs(random: Random, { owner, at, until }: Outage, count: number): Submission[] {
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

function drawMore(random: Random, nodes: readonly string[], outage: Outage): More {
  const kinds = [
    [0.12, () => ({ faults: [] })],
    [0.08, () => drawOneWay(random, nodes, outage)],
    [0.05, () => ({ faults: drawBadLines(random, outage) })],
    [0.06, () => drawRestart(random, nodes, outage)],
    [0.06, () => drawFlaps(random, outage)],
    [0.05, () => drawImpostor(random, outage, nodes)],
    [0.05, () => drawNoPath(random, outage)],
    [0.06, () => drawSilence(random, nodes, outage)],
  ] as const;
  let left = random.next();
  for (const [share, draw] of kinds) {
    left -= share;
    if (left < 0) return draw();
  }
  return drawAimedOutage(random, nodes, outage);
}

/** One side, or some of the others, can call and not be called. */
function drawOneWay(random: Random, nodes: readonly string[], { owner, at, until }: Outage): More {
  const shut = random.chance(0.5) ? [owner] : nodes.filter((node) => node !== owner);
  const from = random.chance(0.5) ? 0 : at - 1000;
  return { faults: shut.map((node) => ({ kind: 'shut-door', node, at: from, until: until + AFTER_MS })) };
}

/** Answers come late, by less than a lease is worth. */
function drawBadLines(random: Random, { at, until }: Outage): Fault[] {
  const flaws = { losses: 0.1 * random.next(), duplicates: 0.5 * random.next(), lateMs: random.between(0, 700) };
  return [{ kind: 'bad-lines', ...flaws, at: at - 1000, until }];
}

/** A node comes back without its broker, and goes on; its jobs have run for a while then. */
function drawRestart(random: Random, nodes: readonly string[], { at, until }: Outage): More {
  const from = random.between(at + 1000, Math.max(at + 2000, Math.min(until, at + 40_000) - 6000));
  const crash = { node: random.pick(nodes), at: from, until: from + random.between(100, 2500) };
  return { faults: [{ kind: 'crash', ...crash }] };
}

/** The bus comes and goes faster than a lease ends. */
function drawFlaps(random: Random, outage: Outage): More {
  const [upMs, downMs] = [random.between(2000, 12_000), random.between(2000, 14_000)];
  const count = random.between(3, 6);
  const faults = Array.from({ length: count }, (_, index) => {
    const at = outage.at + index * (upMs + downMs);
    return down(outage, at, at + downMs);
  });
  return { faults, replaces: true, until: outage.at + count * (upMs + downMs) };
}

/** As soon as the broker is back somebody takes a partner's name, who was silent for longer than a name is kept for it. */
function drawImpostor(random: Random, { owner, at, forgets }: Outage, nodes: readonly string[]): More {
  const until = at + 660_000;
  // Of a third node, with which there is no work, anybody may take the name by then.
  const node = nodes.find((one) => one !== owner) ?? owner;
  const faults: readonly Fault[] = [
    { kind: 'broker-down', forgets: true, at, until },
    // The true one is kept from being heard first.
    { kind: 'cut', from: node, to: 'broker', at: until - 1000, until: until + 14_000 },
    { kind: 'impostor', node, at: until + 1 },
  ];
  const jobs = drawJobs(random, { owner, at, until, forgets }, 1).map((job) => ({
    ...job,
    takesMs: until - job.at + random.between(3000, 12_000),
  }));
  return { faults, replaces: true, until: until + 14_000, jobs, nodes: [owner, node] };
}

/** Both are behind something that lets nobody in: an outage ends what it outlasts. */
function drawNoPath(random: Random, { at, until }: Outage): More {
  return {
    faults: [{ kind: 'shut-door', node: '*', at: random.chance(0.5) ? 0 : at, until: until + AFTER_MS }],
    excuses: true,
  };
}

/** A node sleeps, dies or is cut off in the outage, and may be back only after it. */
function drawSilence(random: Random, nodes: readonly string[], { at, until }: Outage): More {
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
