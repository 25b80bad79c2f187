/**
 * The load of one machine: that of its users, which drifts and is noisy, and that of its jobs. Both share its cores,
 * so jobs run slower on a busy machine. The load that a node senses is smoothed like the real metric.
 */
import type { Random } from '../plan/random.js';
import type { Timeline } from '../parts/timeline.js';
import type { Workload } from './workload.js';

/** The cores of a machine and their load. */
export interface MachineLoad {
  /** The load ratio that the node senses now. Draws random numbers. */
  ratio(): number;
  /** Runs a job that needs `workMs` of one core; `done` is called when that work is finished. */
  begin(run: string, workMs: number, done: () => void): void;
  /** Removes a job from the cores and returns the work that it has done, ms. */
  end(run: string): number;
}

/** Time constant of the sensed load, ms: that of the default metric, `ewma`. */
const SENSED_TAU_MS = 20_000;
/** Time constant of the users' load, ms, and its standard deviation as a ratio. */
const WANDER_TAU_MS = 180_000;
const WANDER_RATIO = 0.1;

/** Ends of jobs are scheduled this far ahead, ms: beyond the next sample, which comes every two seconds. */
const PLANNED_MS = 10_000;

interface Running {
  leftMs: number;
  readonly workMs: number;
  readonly done: () => void;
  cancel: () => void;
}

/** Creates the load of a machine. Whether its users are active at first is random. */
export function createMachineLoad(cpus: number, workload: Workload, timeline: Timeline, random: Random): MachineLoad {
  const own = createOwnLoad(workload, random);
  const running = new Map<string, Running>();
  let ownRatio = own.advance(0);
  let sensed = ownRatio;
  let sensedAt = timeline.now();
  let workedAt = timeline.now();

  function ratio(): number {
    const now = timeline.now();
    const passed = now - sensedAt;
    if (passed <= 0) return sensed;
    sensedAt = now;
    work();
    ownRatio = own.advance(passed);
    const kept = Math.exp(-passed / SENSED_TAU_MS);
    sensed = sensed * kept + countActive() * (1 - kept);
    plan();
    return sensed;
  }

  /**
   * Active tasks per core in one sample: the users' part is Poisson distributed, like any number of independent tasks.
   */
  function countActive(): number {
    return (generatePoisson(ownRatio * cpus, random) + running.size) / cpus;
  }

  /** The share of a core that each job gets. */
  function pace(): number {
    return Math.min(1, cpus / (ownRatio * cpus + running.size));
  }

  /** Books the work done since it was last booked. */
  function work(): void {
    const now = timeline.now();
    const done = (now - workedAt) * pace();
    workedAt = now;
    for (const job of running.values()) job.leftMs -= done;
  }

  /** Reschedules the ends of jobs that are near, at the current pace. Later ends are scheduled at a later sample. */
  function plan(): void {
    const speed = pace();
    for (const [run, job] of running) {
      job.cancel();
      const endsInMs = Math.max(0, job.leftMs) / speed;
      if (endsInMs > PLANNED_MS) continue;
      job.cancel = timeline.after(endsInMs, () => {
        end(run);
        job.done();
      });
    }
  }

  function end(run: string): number {
    const job = running.get(run);
    if (job === undefined) return 0;
    work();
    job.cancel();
    running.delete(run);
    plan();
    return job.workMs - Math.max(0, job.leftMs);
  }

  return {
    ratio,
    begin: (run, workMs, done) => {
      work();
      running.set(run, { leftMs: workMs, workMs, done, cancel: () => undefined });
      plan();
    },
    end,
  };
}

/** The users' load: they come and go, and their load drifts around its mean (an Ornstein-Uhlenbeck process). */
function createOwnLoad(workload: Workload, random: Random): { advance(passedMs: number): number } {
  const { busyRatio, idleRatio, busyShare, busyMs } = workload;
  const idleMs = busyShare === 0 ? Number.POSITIVE_INFINITY : (busyMs * (1 - busyShare)) / busyShare;
  let busy = random.chance(busyShare);
  let changesInMs = random.exponential(busy ? busyMs : idleMs);
  let off = WANDER_RATIO * generateNormal(random);

  return {
    advance: (passedMs) => {
      changesInMs -= passedMs;
      if (changesInMs <= 0) {
        busy = !busy;
        changesInMs = random.exponential(busy ? busyMs : idleMs);
      }
      const kept = Math.exp(-passedMs / WANDER_TAU_MS);
      off = off * kept + WANDER_RATIO * Math.sqrt(1 - kept * kept) * generateNormal(random);
      return Math.max(0, (busy ? busyRatio : idleRatio) + off);
    },
  };
}

/** Draws a number from the normal distribution of mean 0 and standard deviation 1 (Box-Muller). */
function generateNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Draws a Poisson distributed number with this mean (Knuth's method; means are small). */
function generatePoisson(average: number, random: Random): number {
  const least = Math.exp(-average);
  let product = random.next();
  let count = 0;
  for (; product > least; count += 1) product *= random.next();
  return count;
}
