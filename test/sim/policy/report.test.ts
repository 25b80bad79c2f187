/** Each figure of a policy report, computed from a small history. */
import { describe, expect, it } from 'vitest';
import type { History, JobHistory, HistoryStep } from '../../../src/sim/policy/history.js';
import { percentile, SLOWDOWN_FLOOR_MS, summarize, UNDONE_MS } from '../../../src/sim/policy/report.js';

const HOUR_MS = 3_600_000;

function historyOf(change: Partial<History>): History {
  return {
    nodes: 2,
    from: 1000,
    until: 1000 + HOUR_MS,
    jobs: [],
    steps: [],
    flips: 0,
    claims: 0,
    published: 0,
    delivered: 0,
    convergenceMs: [],
    ...change,
  };
}

function jobOf(change: Partial<JobHistory>): JobHistory {
  return { item: 'j', owner: 'a', submittedAt: 2000, sizeMs: 20_000, settledAt: 22_000, done: true, ...change };
}

function left(at: number, item: string, node: string): HistoryStep {
  return { kind: 'left', at, item, owner: node, node };
}

function taken(at: number, item: string, owner: string, node: string): HistoryStep {
  return { kind: 'taken', at, item, owner, node };
}

describe('slowdown', () => {
  it("is the time from submit to settled divided by the job's own run time", () => {
    const jobs = [jobOf({}), jobOf({ settledAt: 62_000 })];
    expect(summarize(historyOf({ jobs }))).toMatchObject({ jobs: 2, slowdown_mean: 2, slowdown_p99: 3 });
  });

  it('a tiny job counts as one of ten seconds', () => {
    const jobs = [jobOf({ sizeMs: 1, settledAt: 2000 + 2 * SLOWDOWN_FLOOR_MS })];
    expect(summarize(historyOf({ jobs }))).toMatchObject({ slowdown_mean: 2 });
  });

  it('is never below 1', () => {
    const jobs = [jobOf({ sizeMs: 1, settledAt: 2001 })];
    expect(summarize(historyOf({ jobs }))).toMatchObject({ slowdown_mean: 1 });
  });

  it('leaves out what did not settle or failed, and counts both', () => {
    const jobs = [jobOf({}), jobOf({ settledAt: undefined, done: false }), jobOf({ settledAt: 9e6, done: false })];
    expect(summarize(historyOf({ jobs }))).toMatchObject({ jobs: 3, unsettled: 1, failed: 1, slowdown_mean: 1 });
  });

  it('is null if nothing settled', () => {
    expect(summarize(historyOf({}))).toMatchObject({ jobs: 0, slowdown_mean: null, slowdown_p99: null });
  });

  it('leaves out jobs of the warm-up', () => {
    expect(summarize(historyOf({ jobs: [jobOf({ submittedAt: 999 })] })).jobs).toBe(0);
  });
});

describe('moves', () => {
  const at = 10_000;

  it.each<[string, readonly HistoryStep[], number]>([
    ['that last are not undone', [], 0],
    ['are undone when the job leaves its new place', [left(at + 1000, 'j', 'b')], 1],
    ['are undone when the job comes back', [taken(at + 1000, 'j', 'a', 'a')], 1],
    ["are not undone by the job's start elsewhere", [taken(at + 1000, 'j', 'a', 'b')], 0],
    ["are undone when the node takes another node's job", [taken(at + UNDONE_MS, 'k', 'b', 'a')], 1],
    ["are not undone by the start of the node's own job", [taken(at + 1000, 'k', 'a', 'a')], 0],
    ['are not undone later', [taken(at + UNDONE_MS + 1, 'k', 'b', 'a')], 0],
    ['are not undone by what came before', [taken(at - 1, 'k', 'b', 'a')], 0],
  ])('%s', (_title, after, undone) => {
    const steps = [left(at, 'j', 'a'), ...after].toSorted((a, b) => a.at - b.at);
    expect(summarize(historyOf({ steps })).moves_undone).toBe(undone);
  });

  it('are counted in the measured time only', () => {
    const steps = [left(0, 'j', 'a'), left(at, 'k', 'a'), left(HOUR_MS + 1000, 'l', 'a')];
    expect(summarize(historyOf({ steps })).moves).toBe(1);
  });
});

describe('rates', () => {
  it('flips are per node and hour', () => {
    expect(summarize(historyOf({ flips: 10 })).flips_per_node_hour).toBe(5);
  });

  it('messages are per node and second', () => {
    const figures = summarize(historyOf({ published: 7200, delivered: 14_400 }));
    expect([figures.said_per_node_s, figures.heard_per_node_s]).toEqual([1, 2]);
  });

  it('claims are per start, starts away from the owner in percent', () => {
    const steps = [taken(2000, 'j', 'a', 'b'), taken(2000, 'k', 'a', 'a')];
    expect(summarize(historyOf({ steps, claims: 5 }))).toMatchObject({ claims_per_start: 2.5, away_percent: 50 });
  });

  it('agreement has a mean and a 99th percentile', () => {
    const convergenceMs = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(summarize(historyOf({ convergenceMs }))).toMatchObject({
      convergence_ms_mean: 50.5,
      convergence_ms_p99: 99,
    });
  });
});

it.each<[readonly number[], number | null]>([
  [[], null],
  [[7], 7],
  [[3, 1, 2], 3],
])('99 %% of %j do not exceed %j', (numbers, expected) => {
  expect(percentile(numbers, 99)).toBe(expected);
});
