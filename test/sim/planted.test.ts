/**
 * The invariants can fail: each known bug is planted in a copy of the compiled code, and the simulator finds it within
 * its number of seeds. A copy without a bug holds. The seed that found a bug last is tried first; if it no longer does,
 * because plans are generated differently, all seeds are tried from the first on. `TRITMESH_TEST_SEEDS=find` does that
 * for every bug and writes the seeds to found-at.json.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runProgram } from '../support/programs.js';
import { createPlanter, ROOT } from './plant.js';
import { PLANTED_ALONE } from './planted-alone.js';
import { PLANTED_BUGS } from './planted-bugs.js';
import { PLANTED_CLOCKS } from './planted-clocks.js';
import { PLANTED_IDENTITY } from './planted-identity.js';
import { PLANTED_MOVES } from './planted-moves.js';
import { PLANTED_OUTAGES } from './planted-outages.js';
import { PLANTED_ROOMS } from './planted-rooms.js';
import { PLANTED_WAYS } from './planted-ways.js';

const plant = createPlanter();

const FOUND_AT = join(ROOT, 'test', 'sim', 'found-at.json');
/** The seed that last found each bug, by the bug's name. */
const known = JSON.parse(readFileSync(FOUND_AT, 'utf8')) as Readonly<Record<string, number>>;
const isFinding = process.env['TRITMESH_TEST_SEEDS'] === 'find';
const foundAt: Record<string, number> = {};

interface Found {
  readonly broken?: { readonly seed: number; readonly violations: readonly { readonly promise: string }[] };
}

async function hunt(src: string, first: number, seeds: number): Promise<Found['broken']> {
  const main = join(src, 'cli', 'main.js');
  const args = [main, 'simulate', '--first', String(first), '--seeds', String(seeds), '--json', '--state-dir', ROOT];
  const ended = await runProgram(process.execPath, args);
  expect(ended.stderr).toBe('');
  return (JSON.parse(ended.stdout) as Found).broken;
}

/** Tries the seed that found the bug last. */
async function findAgain(name: string, src: string): Promise<Found['broken']> {
  const seed = known[name];
  if (isFinding || seed === undefined) return undefined;
  return hunt(src, seed, 1);
}

afterAll(() => {
  if (!isFinding) return;
  const all = Object.entries({ ...known, ...foundAt }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(FOUND_AT, `${JSON.stringify(Object.fromEntries(all), undefined, 2)}\n`);
});

describe('the simulator', () => {
  it('finds nothing without a bug', async () => {
    expect(await hunt(await plant([]), 1, 60)).toBeUndefined();
  });

  it.each([
    ...PLANTED_ALONE,
    ...PLANTED_BUGS,
    ...PLANTED_CLOCKS,
    ...PLANTED_IDENTITY,
    ...PLANTED_MOVES,
    ...PLANTED_OUTAGES,
    ...PLANTED_ROOMS,
    ...PLANTED_WAYS,
  ])('finds that $name', { timeout: 600_000 }, async ({ name, changes, within }) => {
    const src = await plant(changes);
    const broken = (await findAgain(name, src)) ?? (await hunt(src, 1, within));
    expect(broken?.violations[0]?.promise).toBeDefined();
    if (broken !== undefined) foundAt[name] = broken.seed;
  });
});
