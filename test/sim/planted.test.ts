/**
 * The checkers can fail: each known bug is planted in a copy of the compiled code, and the simulator finds it within its
 * number of seeds. The copy without a bug holds.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../e2e/programs.js';
import { plantingGround, ROOT } from './plant.js';
import { PLANTED_BUGS } from './planted-bugs.js';
import { PLANTED_MOVES } from './planted-moves.js';

const plant = plantingGround();

interface Found {
  readonly broken?: { readonly seed: number; readonly violations: readonly { readonly promise: string }[] };
}

async function hunt(src: string, seeds: number): Promise<Found> {
  const main = join(src, 'cli', 'main.js');
  const args = [main, 'simulate', '--seeds', String(seeds), '--json', '--state-dir', ROOT];
  const ended = await runProgram(process.execPath, args);
  expect(ended.stderr).toBe('');
  return JSON.parse(ended.stdout) as Found;
}

describe('the simulator', () => {
  it('holds without a bug', async () => {
    expect((await hunt(await plant([]), 60)).broken).toBeUndefined();
  });

  it.each([...PLANTED_BUGS, ...PLANTED_MOVES])(
    'finds that $name',
    { timeout: 240_000 },
    async ({ changes, within }) => {
      const found = await hunt(await plant(changes), within);
      expect(found.broken?.violations[0]?.promise).toBeDefined();
    },
  );
});
