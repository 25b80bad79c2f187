/**
 * Outages that are aimed at one rule each: what only shows when one side hears and the other does not, when a result is owed in the very
 * moment of a return, or when a bus flaps over a receiver that is dead.
 */
import { STEPPER, type Fault, type Submission } from './plan.js';
import type { Random } from './random.js';

/** An outage, and whose jobs meet it. */
export interface Outage {
  readonly owner: string;
  readonly at: number;
  readonly until: number;
  readonly forgets: boolean;
}

/** What else happens in a plan with an outage. */
export interface More {
  readonly faults: readonly Fault[];
  /** It may end jobs, or start them again. */
  readonly excuses?: true;
  /** There is no one outage, but what these faults are. */
  readonly replaces?: true;
  readonly until?: number;
  /** In place of those that meet an outage. */
  readonly jobs?: readonly Submission[];
  readonly ownerRatio?: number;
  /** Fewer than others have. */
  readonly nodes?: readonly string[];
  readonly dies?: string;
}

/** Until all have connected, and been heard, again, ms. */
export const AFTER_MS = 25_000;

/** Draws one of them. */
export function drawAimedOutage(random: Random, nodes: readonly string[], outage: Outage): More {
  switch (random.between(0, 5)) {
    case 0:
      return drawOwed(random, outage);
    case 1:
      return drawOwedAtReturn(random, nodes, outage);
    case 2:
      return drawLate(random, outage);
    case 3:
      return drawMute(random, outage);
    case 4:
      return drawCutOwner(random, nodes, outage);
    default:
      return drawDeath(random, nodes, outage);
  }
}

function others(nodes: readonly string[], owner: string): readonly string[] {
  return nodes.filter((node) => node !== owner);
}

function job(outage: Outage, at: number, takesMs: number, retry: Submission['retry']): Submission {
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

/** Nobody can be called, and a job ends just after the broker went: its result is owed for as long as that is away. */
function drawOwed(random: Random, outage: Outage): More {
  const at = random.between(4000, 6000);
  const jobs = [job(outage, at, outage.at - at + random.between(300, 4500), random.pick(['once', 'rerun']))];
  return { faults: [{ kind: 'shut-door', node: '*', at: 0, until: outage.until + 60_000 }], jobs, ownerRatio: 0.5 };
}

/** The owner has waited for nearly as long as it may when the broker goes: what is owed must be said in the moment of the return. */
function drawOwedAtReturn(random: Random, nodes: readonly string[], outage: Outage): More {
  const cutAt = outage.at + random.between(500, 2500);
  const downAt = cutAt + random.between(10_800, 11_500);
  const until = downAt + random.between(20_000, 40_000);
  const at = random.between(4000, 6000);
  return {
    faults: [
      { kind: 'shut-door', node: '*', at: 0, until: until + 60_000 },
      ...others(nodes, outage.owner).flatMap((node): Fault[] => [
        { kind: 'cut', from: node, to: 'broker', at: cutAt, until: until + 1500 },
        { kind: 'cut', from: 'broker', to: node, at: cutAt, until: until + 1500 },
      ]),
      { kind: 'broker-down', forgets: outage.forgets, at: downAt, until },
    ],
    replaces: true,
    until,
    jobs: [job(outage, at, cutAt - at + random.between(200, 3000), random.pick(['once', 'rerun']))],
    ownerRatio: 0.5,
  };
}

/** One receiver is off the bus; answers by the direct path take long, and then nothing passes any more. */
function drawLate(random: Random, outage: Outage): More {
  // Slow at first they would end the lease; it lives on answers that come just in time.
  const cutAt = random.between(14_500, 22_000);
  const answersMs = random.between(8300, 9300);
  const healAt = cutAt + random.between(18_000, 26_000);
  return lyingInWait(random, outage, [
    { kind: 'cut', from: STEPPER, to: 'broker', at: 0, until: healAt },
    { kind: 'bad-lines', losses: 0, duplicates: 0.3, lateMs: 0, answersMs, at: 6000, until: cutAt },
    { kind: 'cut', from: STEPPER, to: '*', at: cutAt, until: healAt },
  ]);
}

/** One receiver is off the bus, and nobody hears it any more; it hears its owner call. */
function drawMute(random: Random, outage: Outage): More {
  const muteAt = random.between(500, 8000);
  const healAt = muteAt + random.between(24_000, 34_000);
  return lyingInWait(random, outage, [
    { kind: 'cut', from: STEPPER, to: 'broker', at: 0, until: healAt },
    { kind: 'cut', from: 'broker', to: STEPPER, at: 0, until: healAt },
    { kind: 'bad-lines', losses: 0, duplicates: 0, lateMs: 0, mute: STEPPER, at: muteAt, until: healAt },
  ]);
}

/** What strikes begins with a renewal of a long job; the broker is there all the time. */
function lyingInWait(random: Random, outage: Outage, strikes: Extract<Fault, { kind: 'ambush' }>['strikes']): More {
  return {
    faults: [{ kind: 'ambush', node: '*', step: 'receiver:progress', nth: random.between(3, 6), at: 0, strikes }],
    excuses: true,
    replaces: true,
    until: 70_000,
    jobs: [job(outage, random.between(4000, 7000), 60_000, 'rerun')].map((one) => ({ ...one, place: 'any' })),
    ownerRatio: 0.5,
  };
}

/** The broker is there for all but the owner of the jobs. */
function drawCutOwner(random: Random, nodes: readonly string[], { owner, at, until }: Outage): More {
  const times = { at, until: Math.min(until, at + 120_000) };
  const cuts = [
    { kind: 'cut', from: owner, to: 'broker', ...times },
    { kind: 'cut', from: 'broker', to: owner, ...times },
  ] as const;
  // Where it cannot call, what others say to it by themselves is all that is heard.
  const shut = others(nodes, owner).map((node): Fault => ({ kind: 'shut-door', node, at: 0, until: times.until }));
  return { faults: [...cuts, ...(random.chance(0.6) ? shut : [])], replaces: true, until: times.until };
}

/** A bus that comes and goes, over a receiver that is dead: its item is offered again all the same. */
function drawDeath(random: Random, nodes: readonly string[], outage: Outage): More {
  const [upMs, downMs] = [random.between(7000, 10_000), random.between(1500, 4000)];
  const dies = nodes.find((node) => node !== outage.owner) ?? '';
  const until = outage.at + 5 * (upMs + downMs);
  // To the very end: a bus that stays would end it, too.
  const count = Math.floor((until + AFTER_MS - outage.at) / (upMs + downMs));
  const flaps = Array.from({ length: count }, (_, index): Fault => {
    const at = outage.at + index * (upMs + downMs);
    return { kind: 'broker-down', forgets: outage.forgets, at, until: at + downMs };
  });
  return {
    faults: [...flaps, { kind: 'crash', node: dies, at: outage.at - 1000, until: until + 60_000 }],
    excuses: true,
    replaces: true,
    until,
    dies,
    jobs: [{ ...job(outage, random.between(4000, 6000), 60_000, 'rerun'), place: 'any' }],
    ownerRatio: 0.5,
  };
}
