/**
 * Seeds that once broke a promise, kept as shortened plans. Each breaks its promise again in a copy of the compiled
 * code without the fix of its bug, and holds with the fix.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../support/programs.js';
import { createPlanter, type Change } from './plant.js';

const KEPT = fileURLToPath(new URL('kept/', import.meta.url));
const LIVE_PLAN = fileURLToPath(new URL('../fixtures/live-plan.mjs', import.meta.url));
/** Delays and losses are random in every run of a plan; the bug shows within this many runs. */
const RUNS = 20;

/** One kept seed. `changes` take the fix of its bug out. */
interface Kept {
  readonly bug: string;
  readonly promise: string;
  readonly changes: readonly Change[];
}

const plant = createPlanter();

describe.each(readdirSync(KEPT))('%s', (name) => {
  const file = join(KEPT, name);
  const { bug, promise, changes } = JSON.parse(readFileSync(file, 'utf8')) as Kept;

  it(`breaks again when ${bug}`, async () => {
    expect(await runPlan(await plant(changes), file, promise)).toContain(promise);
  });

  it('holds with the fix', async () => {
    expect(await runPlan(await plant([]), file)).toEqual(Array<null>(RUNS).fill(null));
  });
});

/** What broke in each run; ends early at a run that breaks the promise `awaited`. */
async function runPlan(directory: string, file: string, ...awaited: string[]): Promise<readonly (string | null)[]> {
  const ended = await runProgram(process.execPath, [LIVE_PLAN, directory, file, String(RUNS), ...awaited]);
  expect(ended.stderr).toBe('');
  return JSON.parse(ended.stdout) as (string | null)[];
}
