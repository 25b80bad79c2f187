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
import { PLANTED_STARTS } from './planted-starts.js';
import { PLANTED_WAYS } from './planted-ways.js';

const plant = createPlanter();

const HUNT_SEEDS = join(ROOT, 'test', 'fixtures', 'hunt-seeds.mjs');
const FOUND_AT = join(ROOT, 'test', 'sim', 'found-at.json');
/** The seed that last found each bug, by the bug's name. */
const known = JSON.parse(readFileSync(FOUND_AT, 'utf8')) as Readonly<Record<string, number>>;
const isFinding = process.env['TRITMESH_TEST_SEEDS'] === 'find';
const foundAt: Record<string, number> = {};

interface Broken {
  readonly seed: number;
  readonly promise: string;
}

async function hunt(directory: string, first: number, seeds: number): Promise<Broken | undefined> {
  const ended = await runProgram(process.execPath, [HUNT_SEEDS, directory, String(first), String(seeds)]);
  expect(ended.stderr).toBe('');
  return (JSON.parse(ended.stdout) as Broken | null) ?? undefined;
}

/** Tries the seed that found the bug last. */
async function findAgain(name: string, directory: string): Promise<Broken | undefined> {
  const seed = known[name];
  if (isFinding || seed === undefined) return undefined;
  return hunt(directory, seed, 1);
}

afterAll(() => {
  if (!isFinding) return;
  const all = Object.entries({ ...known, ...foundAt }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(FOUND_AT, `${JSON.stringify(Object.fromEntries(all), undefined, 2)}\n`);
});

// A search takes minutes: as many side by side as a test run has processors for.
describe('the simulator', { concurrent: isFinding }, () => {
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
    ...PLANTED_STARTS,
    ...PLANTED_WAYS,
  ])('finds that $name', { timeout: 600_000 }, async ({ name, changes, within }) => {
    const directory = await plant(changes);
    const broken = (await findAgain(name, directory)) ?? (await hunt(directory, 1, within));
    expect(broken?.promise).toBeTypeOf('string');
    if (broken !== undefined) foundAt[name] = broken.seed;
  });
});
