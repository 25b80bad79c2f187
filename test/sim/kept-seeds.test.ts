/**
 * Seeds that once broke a promise, as the shortened plans that they came to: each breaks it again when the mend of its bug is
 * taken out of a copy of the compiled code, and holds with the mend in.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../e2e/programs.js';
import { plantingGround, ROOT, type Change } from './plant.js';

const KEPT = fileURLToPath(new URL('kept/', import.meta.url));
const LIVE_PLAN = fileURLToPath(new URL('../fixtures/live-plan.mjs', import.meta.url));
/** Chance has a part in every plan; in so many lives the bug shows. */
const LIVES = 20;

/** One kept seed. `mend` is the mend of its bug, taken out. */
interface Kept {
  readonly bug: string;
  readonly promise: string;
  readonly mend: readonly Change[];
}

const plant = plantingGround();

describe.each(readdirSync(KEPT))('%s', (name) => {
  const file = join(KEPT, name);
  const { bug, promise, mend } = JSON.parse(readFileSync(file, 'utf8')) as Kept;

  it(`breaks again when ${bug}`, async () => {
    expect(await livePlan(await plant(mend), file)).toContain(promise);
  });

  it('holds as it is', async () => {
    expect(await livePlan(join(ROOT, 'dist', 'src'), file)).toEqual(Array<null>(LIVES).fill(null));
  });
});

async function livePlan(src: string, file: string): Promise<readonly (string | null)[]> {
  const ended = await runProgram(process.execPath, [LIVE_PLAN, src, file, String(LIVES)]);
  expect(ended.stderr).toBe('');
  return JSON.parse(ended.stdout) as (string | null)[];
}
