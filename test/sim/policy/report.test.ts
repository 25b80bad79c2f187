/** Each figure of a policy report, on a history made for it. */
import { describe, expect, test } from 'vitest';
import type { History, JobStory, Step } from '../../../src/sim/policy/history.js';
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
    said: 0,
    heard: 0,
    convergenceMs: [],
    ...change,
  };
}

function jobOf(change: Partial<JobStory>): JobStory {
  return { item: 'j', owner: 'a', submittedAt: 2000, sizeMs: 20_000, settledAt: 22_000, done: true, ...change };
}

function left(at: number, item: string, node: string): Step {
  return { kind: 'left', at, item, owner: node, node };
}

function taken(at: number, item: string, owner: string, node: string): Step {
  return { kind: 'taken', at, item, owner, node };
}

describe('slowdown', () => {
  test('is the time from submit to settled by the job’s own run time', () => {
    const jobs = [jobOf({}), jobOf({ settledAt: 62_000 })];
    expect(summarize(historyOf({ jobs }))).toMatchObject({ jobs: 2, slowdown_mean: 2, slowdown_p99: 3 });
  });

  test('a tiny job counts as one of ten seconds', () => {
    const jobs = [jobOf({ sizeMs: 1, settledAt: 2000 + 2 * SLOWDOWN_FLOOR_MS })];
    expect(summarize(historyOf({ jobs }))).toMatchObject({ slowdown_mean: 2 });
  });

  test('is never below 1', () => {
    const jobs = [jobOf({ sizeMs: 1, settledAt: 2001 })];
    expect(summarize(historyOf({ jobs }))).toMatchObject({ slowdown_mean: 1 });
  });

  test('leaves out what did not settle or failed, and counts both', () => {
    const jobs = [jobOf({}), jobOf({ settledAt: undefined, done: false }), jobOf({ settledAt: 9e6, done: false })];
    expect(summarize(historyOf({ jobs }))).toMatchObject({ jobs: 3, unsettled: 1, failed: 1, slowdown_mean: 1 });
  });

  test('is nothing where nothing settled', () => {
    expect(summarize(historyOf({}))).toMatchObject({ jobs: 0, slowdown_mean: null, slowdown_p99: null });
  });

  test('leaves out jobs of the running-in', () => {
    expect(summarize(historyOf({ jobs: [jobOf({ submittedAt: 999 })] })).jobs).toBe(0);
  });
});

describe('moves', () => {
  const at = 10_000;

  test.each<[string, readonly Step[], number]>([
    ['that last are not undone', [], 0],
    ['are undone when the job leaves its new place', [left(at + 1000, 'j', 'b')], 1],
    ['are undone when the job comes back', [taken(at + 1000, 'j', 'a', 'a')], 1],
    ['are not undone by the job’s start elsewhere', [taken(at + 1000, 'j', 'a', 'b')], 0],
    ['are undone when their machine takes a stranger’s job', [taken(at + UNDONE_MS, 'k', 'b', 'a')], 1],
    ['are not undone by a start of the machine’s own', [taken(at + 1000, 'k', 'a', 'a')], 0],
    ['are not undone later', [taken(at + UNDONE_MS + 1, 'k', 'b', 'a')], 0],
    ['are not undone by what came before', [taken(at - 1, 'k', 'b', 'a')], 0],
  ])('%s', (_title, after, undone) => {
    const steps = [left(at, 'j', 'a'), ...after].toSorted((a, b) => a.at - b.at);
    expect(summarize(historyOf({ steps })).moves_undone).toBe(undone);
  });

  test('are counted in the counted time', () => {
    const steps = [left(0, 'j', 'a'), left(at, 'k', 'a'), left(HOUR_MS + 1000, 'l', 'a')];
    expect(summarize(historyOf({ steps })).moves).toBe(1);
  });
});

describe('rates', () => {
  test('flips are per node and hour', () => {
    expect(summarize(historyOf({ flips: 10 })).flips_per_node_hour).toBe(5);
  });

  test('messages are per node and second', () => {
    const figures = summarize(historyOf({ said: 7200, heard: 14_400 }));
    expect([figures.said_per_node_s, figures.heard_per_node_s]).toEqual([1, 2]);
  });

  test('claims are per start, starts away from home in percent', () => {
    const steps = [taken(2000, 'j', 'a', 'b'), taken(2000, 'k', 'a', 'a')];
    expect(summarize(historyOf({ steps, claims: 5 }))).toMatchObject({ claims_per_start: 2.5, away_percent: 50 });
  });

  test('agreement has a mean and a 99th percentile', () => {
    const convergenceMs = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(summarize(historyOf({ convergenceMs }))).toMatchObject({
      convergence_ms_mean: 50.5,
      convergence_ms_p99: 99,
    });
  });
});

test.each<[readonly number[], number | null]>([
  [[], null],
  [[7], 7],
  [[3, 1, 2], 3],
])('99 %% of %j do not exceed %j', (numbers, expected) => {
  expect(percentile(numbers, 99)).toBe(expected);
});
