/** Generated work and load match their description. */
import { describe, expect, it } from 'vitest';
import { createMachineLoad } from '../../../src/sim/policy/machine-load.js';
import { generateJobs, generateSize, WORKLOADS } from '../../../src/sim/policy/workload.js';
import { createRandom } from '../../../src/sim/plan/random.js';
import { createTimeline } from '../../../src/sim/parts/timeline.js';

const HOUR_MS = 3_600_000;
const NODES = Array.from({ length: 50 }, (_, index) => `n${index}`);

describe('jobs', () => {
  it.each(Object.values(WORKLOADS))('$name: as many as described, in order, from as many nodes', (workload) => {
    const jobs = generateJobs(workload, NODES, 0, 10 * HOUR_MS, createRandom(1));
    const submitters = new Set(jobs.map((job) => job.node));
    expect(submitters.size).toBeCloseTo(NODES.length * workload.submitters, 0);
    const expected = submitters.size * workload.jobsPerHour * 10;
    expect(jobs.length / expected).toBeGreaterThan(0.8);
    expect(jobs.length / expected).toBeLessThan(1.2);
    expect(jobs.map((job) => job.at)).toEqual(jobs.map((job) => job.at).toSorted((a, b) => a - b));
    expect(new Set(jobs.map((job) => job.item)).size).toBe(jobs.length);
  });

  it('sizes stay within their bounds, and few make most of the work', () => {
    const random = createRandom(2);
    const { lab } = WORKLOADS;
    const sizes = Array.from({ length: 10_000 }, () => generateSize(lab, random)).toSorted((a, b) => b - a);
    expect(sizes[0]).toBeLessThanOrEqual(lab.sizeMsMost);
    expect(sizes.at(-1)).toBeGreaterThanOrEqual(lab.sizeMsLeast);
    const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
    expect(sum(sizes.slice(0, 2000)) / sum(sizes)).toBeGreaterThan(0.5);
  });
});

describe('the load of a machine', () => {
  const quiet = { ...WORKLOADS.lab, busyShare: 0, idleRatio: 0 };

  it('a job on a free core takes its own time, two on one core take longer', () => {
    const timeline = createTimeline();
    const load = createMachineLoad(1, quiet, timeline, createRandom(3));
    const ends: number[] = [];
    const look = (): void => {
      load.ratio();
      timeline.after(2000, look);
    };
    look();
    load.begin('o/one/1', 60_000, () => ends.push(timeline.now()));
    timeline.run(200_000);
    load.begin('o/two/1', 60_000, () => ends.push(timeline.now()));
    load.begin('o/three/1', 60_000, () => ends.push(timeline.now()));
    timeline.run(500_000);
    expect(ends).toHaveLength(3);
    expect(ends[0]).toBeGreaterThanOrEqual(60_000);
    expect((ends[1] ?? 0) - 200_000).toBeGreaterThanOrEqual(120_000);
  });

  it('stopping a job returns the work that it has done', () => {
    const timeline = createTimeline();
    const load = createMachineLoad(64, quiet, timeline, createRandom(4));
    load.begin('o/one/1', 60_000, () => undefined);
    timeline.run(30_000);
    expect(load.end('o/one/1')).toBeCloseTo(30_000, -1);
    expect(load.end('o/one/1')).toBe(0);
  });

  it('the sensed ratio follows a job with the time constant of the metric', () => {
    const ratios = Array.from({ length: 50 }, (_, seed) => senseAfter(20_000, seed));
    const mean = ratios.reduce((sum, one) => sum + one, 0) / ratios.length;
    // 1 - 1/e of the job is seen. The own load drifts around 0 and is cut off there, which adds a little.
    expect(mean).toBeGreaterThan(0.6);
    expect(mean).toBeLessThan(0.75);
  });

  function senseAfter(ms: number, seed: number): number {
    const timeline = createTimeline();
    const load = createMachineLoad(1, quiet, timeline, createRandom(seed));
    load.begin('o/one/1', HOUR_MS, () => undefined);
    for (let at = 2000; at <= ms; at += 2000) {
      timeline.run(at);
      load.ratio();
    }
    return load.ratio();
  }
});
