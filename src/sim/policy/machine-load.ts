/**
 * The load of one machine: what its people do, wandering and noisy, and the jobs that run there. Both share its cores, so jobs
 * run slower on a busy machine. What a node senses of it is smoothed as the real metric smooths it.
 */
import type { Random } from '../random.js';
import type { Timeline } from '../timeline.js';
import type { Workload } from './workload.js';

/** A machine's cores at work. */
export interface MachineLoad {
  /** The load ratio as the node senses it now. */
  ratio(): number;
  /** Runs a job that needs so much of one core; `done` comes when it had that. */
  begin(run: string, workMs: number, done: () => void): void;
  /** Takes a job off the cores; gives what it had of its work, ms. */
  end(run: string): number;
}

/** Time constant of the sensed load, ms: that of the default metric, `ewma`. */
const SENSED_TAU_MS = 20_000;
/** How long a wandering of the own load lasts, and how far it goes (standard deviation of the ratio). */
const WANDER_TAU_MS = 180_000;
const WANDER_RATIO = 0.1;

/** How far ahead ends are planned, ms: beyond the next look, which comes every two seconds. */
const PLANNED_MS = 10_000;

interface Running {
  leftMs: number;
  readonly workMs: number;
  readonly done: () => void;
  cancel: () => void;
}

/** Makes the load of a machine; its people are there or not by chance. */
export function createMachineLoad(cpus: number, workload: Workload, timeline: Timeline, random: Random): MachineLoad {
  const own = createOwnLoad(workload, random);
  const running = new Map<string, Running>();
  let ownRatio = own.move(0);
  let sensed = ownRatio;
  let sensedAt = timeline.now();
  let workedAt = timeline.now();

  function ratio(): number {
    const now = timeline.now();
    const passed = now - sensedAt;
    if (passed <= 0) return sensed;
    sensedAt = now;
    work();
    ownRatio = own.move(passed);
    const kept = Math.exp(-passed / SENSED_TAU_MS);
    sensed = sensed * kept + countActive() * (1 - kept);
    plan();
    return sensed;
  }

  /** Active tasks per core as one look counts them: their number jumps like that of any independent tasks. */
  function countActive(): number {
    return (drawPoisson(ownRatio * cpus, random) + running.size) / cpus;
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

  /** Plans the ends that are near anew, at the pace of now; the others are planned at a later look. */
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

/** What people do: they come and go, and while they are there or not, their load wanders (Ornstein-Uhlenbeck). */
function createOwnLoad(workload: Workload, random: Random): { move(passedMs: number): number } {
  const { busyRatio, idleRatio, busyShare, busyMs } = workload;
  const idleMs = busyShare === 0 ? Number.POSITIVE_INFINITY : (busyMs * (1 - busyShare)) / busyShare;
  let busy = random.chance(busyShare);
  let changesInMs = random.exponential(busy ? busyMs : idleMs);
  let off = WANDER_RATIO * drawNormal(random);

  return {
    move: (passedMs) => {
      changesInMs -= passedMs;
      if (changesInMs <= 0) {
        busy = !busy;
        changesInMs = random.exponential(busy ? busyMs : idleMs);
      }
      const kept = Math.exp(-passedMs / WANDER_TAU_MS);
      off = off * kept + WANDER_RATIO * Math.sqrt(1 - kept * kept) * drawNormal(random);
      return Math.max(0, (busy ? busyRatio : idleRatio) + off);
    },
  };
}

/** A number of mean 0 and standard deviation 1 (Box-Muller). */
function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** How many of independent things there are at a moment, of which so many are there on average (Knuth's way; means are small). */
function drawPoisson(average: number, random: Random): number {
  const least = Math.exp(-average);
  let product = random.next();
  let count = 0;
  for (; product > least; count += 1) product *= random.next();
  return count;
}
