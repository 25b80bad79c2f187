/**
 * Computes the figures of a run from its history. Pure.
 */
import type { History, JobHistory, HistoryStep } from './history.js';

/** The figures of one run. */
export interface PolicyFigures {
  /** Jobs submitted in the measured time, and those of them that never settled. */
  readonly jobs: number;
  readonly unsettled: number;
  /** Jobs that ended, but not as done. */
  readonly failed: number;
  /**
   * Time from submit to settled divided by the job's own run time, which counts as {@link SLOWDOWN_FLOOR_MS} or more.
   */
  readonly slowdown_mean: number | null;
  readonly slowdown_p99: number | null;
  /** Share of starts at a node other than the job's owner. */
  readonly away_percent: number;
  readonly moves: number;
  /** Moves that were undone, see {@link countUndone}. */
  readonly moves_undone: number;
  readonly flips_per_node_hour: number;
  readonly claims_per_start: number;
  readonly said_per_node_s: number;
  readonly heard_per_node_s: number;
  readonly convergence_ms_mean: number | null;
  readonly convergence_ms_p99: number | null;
}

/** A shorter job counts as this long, ms: a tenth of a second of protocol is not a slowdown of a tiny job. */
export const SLOWDOWN_FLOOR_MS = 10_000;
/** A move must last at least this long to be worth it, ms. */
export const UNDONE_MS = 600_000;
const HOUR_MS = 3_600_000;

/** Computes the figures of a history. */
export function summarize(history: History): PolicyFigures {
  const { nodes, from, until } = history;
  const inTime = (at: number): boolean => at >= from && at < until;
  const jobs = history.jobs.filter((job) => inTime(job.submittedAt));
  const slowdowns = jobs.map(slowdownOf).filter((one) => one !== undefined);
  const starts = history.steps.filter((step) => step.kind === 'taken' && inTime(step.at));
  const moves = history.steps.filter((step) => step.kind === 'left' && inTime(step.at));
  const hours = (until - from) / HOUR_MS;
  return {
    jobs: jobs.length,
    unsettled: jobs.filter((job) => job.settledAt === undefined).length,
    failed: jobs.filter((job) => job.settledAt !== undefined && !job.done).length,
    slowdown_mean: mean(slowdowns),
    slowdown_p99: percentile(slowdowns, 99),
    away_percent: share(starts.filter((step) => step.node !== step.owner).length * 100, starts.length),
    moves: moves.length,
    moves_undone: countUndone(moves, history.steps),
    flips_per_node_hour: share(history.flips, nodes * hours),
    claims_per_start: share(history.claims, starts.length),
    said_per_node_s: share(history.published, nodes * hours * 3600),
    heard_per_node_s: share(history.delivered, nodes * hours * 3600),
    convergence_ms_mean: mean(history.convergenceMs),
    convergence_ms_p99: percentile(history.convergenceMs, 99),
  };
}

function slowdownOf(job: JobHistory): number | undefined {
  if (job.settledAt === undefined || !job.done) return undefined;
  return Math.max(1, (job.settledAt - job.submittedAt) / Math.max(job.sizeMs, SLOWDOWN_FLOOR_MS));
}

/**
 * The number of moves that were undone within {@link UNDONE_MS}: the job left its new node, too, or came back, or the
 * node that it left took a job of another node, so it had capacity after all.
 */
export function countUndone(moves: readonly HistoryStep[], steps: readonly HistoryStep[]): number {
  return moves.filter((move) =>
    steps.some((step) => step.at > move.at && step.at - move.at <= UNDONE_MS && undoes(step, move)),
  ).length;
}

function undoes(step: HistoryStep, move: HistoryStep): boolean {
  if (step.item === move.item) return step.kind === 'left' || step.node === move.node;
  return step.kind === 'taken' && step.node === move.node && step.owner !== move.node;
}

function mean(numbers: readonly number[]): number | null {
  return numbers.length === 0 ? null : numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

/** The smallest of the numbers that `percent` of them do not exceed; `null` if there are none. */
export function percentile(numbers: readonly number[], percent: number): number | null {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? null;
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
