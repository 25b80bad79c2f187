/**
 * The checkers can fail: each known bug is planted in a copy of the compiled code, and the simulator finds it within its
 * number of seeds. The copy without a bug holds.
 */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { runProgram } from '../e2e/programs.js';
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const copies: string[] = [];

afterAll(async () => {
  for (const copy of copies) await rm(copy, { recursive: true, force: true });
});

/** A copy of the compiled code with a bug in it; beside node_modules, so that it runs. */
async function plant(changes: PlantedBug['changes']): Promise<string> {
  await mkdir(join(ROOT, '.tmp'), { recursive: true });
  const copy = await mkdtemp(join(ROOT, '.tmp', 'planted-'));
  copies.push(copy);
  await cp(join(ROOT, 'dist', 'src'), join(copy, 'src'), { recursive: true });
  await cp(join(ROOT, 'dist', 'broker'), join(copy, 'broker'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(copy, 'package.json'));
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'dir');
  for (const { file, find, replace } of changes) {
    const path = join(copy, 'src', file);
    const text = await readFile(path, 'utf8');
    expect(text.split(find), `${file} has one place that reads ${find}`).toHaveLength(2);
    await writeFile(
      path,
      text.replace(find, () => replace),
    );
  }
  return join(copy, 'src', 'cli', 'main.js');
}

interface Found {
  readonly broken?: { readonly seed: number; readonly violations: readonly { readonly promise: string }[] };
}

async function hunt(main: string, seeds: number): Promise<Found> {
  const args = [main, 'simulate', '--seeds', String(seeds), '--json', '--state-dir', ROOT];
  const ended = await runProgram(process.execPath, args);
  expect(ended.stderr).toBe('');
  return JSON.parse(ended.stdout) as Found;
}

describe('the simulator', () => {
  it('holds without a bug', async () => {
    expect((await hunt(await plant([]), 60)).broken).toBeUndefined();
  });

  it.each(PLANTED_BUGS)('finds that $name', { timeout: 240_000 }, async ({ changes, within }) => {
    const found = await hunt(await plant(changes), within);
    expect(found.broken?.violations[0]?.promise).toBeDefined();
  });
});
