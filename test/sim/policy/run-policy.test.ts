/** Simulates a small mesh under the policies that are compared. */
import { describe, expect, it } from 'vitest';
import { renderPolicy } from '../../../src/cli/render/policy.js';
import { runPolicy } from '../../../src/sim/policy/run-policy.js';

const small = { nodes: 5, hours: 1 / 6, workload: 'lab', seed: 7, seeds: 1, compare: false } as const;

describe('a mesh of five nodes for ten minutes', () => {
  const report = runPolicy(small);
  const figures = report.policies[0]?.runs[0];

  it('settles its jobs', () => {
    expect(figures?.jobs).toBeGreaterThan(10);
    expect(figures?.failed).toBe(0);
    expect(figures?.unsettled).toBeLessThan(3);
    expect(figures?.slowdown_mean).toBeGreaterThanOrEqual(1);
  });

  it('exchanges messages and agrees', () => {
    expect(figures?.said_per_node_s).toBeGreaterThan(4 / 60);
    expect(figures?.heard_per_node_s).toBeGreaterThan((5 * 4) / 60);
    expect(figures?.flips_per_node_hour).toBeGreaterThan(0);
    expect(figures?.convergence_ms_mean).toBeLessThan(1100);
  });

  it('gives the same report for the same seed, another for another', () => {
    expect(runPolicy(small)).toEqual(report);
    expect(runPolicy({ ...small, seed: 8 }).policies[0]?.runs[0]).not.toEqual(figures);
  });
});

it('a comparison has the same jobs under each policy, and a column for each', () => {
  const told: string[] = [];
  const report = runPolicy(
    { ...small, hours: 1 / 30, compare: true },
    (name, _seed, part) => part === 1 && told.push(name),
  );
  expect(told).toEqual(['defaults', 'gf3', 'no hysteresis', 'all claim']);
  expect(new Set(report.policies.map(({ figures }) => figures.jobs?.mean)).size).toBe(1);
  const text = renderPolicy(report, 200);
  for (const name of told) expect(text).toContain(name);
  expect(text).toContain('5 nodes');
});

it('several seeds give each run, and their mean', () => {
  const report = runPolicy({ ...small, hours: 1 / 60, seeds: 2 });
  const [first, second] = report.policies[0]?.runs ?? [];
  const alone = runPolicy({ ...small, hours: 1 / 60, seed: 8 }).policies[0]?.runs[0];
  expect(second).toEqual(alone);
  expect(report.policies[0]?.figures.jobs?.mean).toBe(((first?.jobs ?? 0) + (second?.jobs ?? 0)) / 2);
  expect(renderPolicy(report, 200)).toMatch(/seeds 7 to 8[^]* ± /);
});
