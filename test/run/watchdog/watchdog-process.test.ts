import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isWatchdogProcess } from '../../../src/run/watchdog/watchdog-process.js';
import { createRunSetup, type RunSetup } from '../../support/run-setup.js';

let bench: RunSetup;

beforeEach(() => {
  bench = createRunSetup();
});
afterEach(() => {
  expect(bench.clear()).toEqual([]);
});

describe('the guards of a run', () => {
  it('are its launcher, its watchdog and what that sleeps with, and none of its own processes', async () => {
    const runner = bench.runner();
    // Its own sleep must not be taken for the watchdog's.
    const order = bench.order('a', ['sh', '-c', 'sleep 41 & echo up; exec sleep 42']);
    runner.start(order);
    const { handle } = await runner.next('a', 'RunStarted');
    await runner.next('a', 'RunOutput');
    const pids = runner.pids().get('a') ?? [];
    const own = pids.filter((pid) => !isWatchdogProcess(pid));
    expect(own).toHaveLength(2);
    bench.expectGone(handle);
    expect(own).not.toContain(handle.pid);
    expect(pids.length - own.length).toBeGreaterThanOrEqual(2);
    expect(isWatchdogProcess(process.pid)).toBe(false);
    runner.stop('a', 0);
    await runner.end('a');
  });
});
