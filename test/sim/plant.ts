/**
 * Plants bugs: copies of the compiled code with a few places of text changed. A place that is not found fails: the code has
 * moved on, and the bug must be planted anew.
 */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';

/** One place in the compiled code, and what stands there instead. */
export interface Change {
  /** Below `dist/src`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** The repository. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

/** Gives a function that plants changes and gives the copy's `src`; all copies are removed after the tests of the file. */
export function plantingGround(): (changes: readonly Change[]) => Promise<string> {
  const copies: string[] = [];
  afterAll(async () => {
    for (const copy of copies) await rm(copy, { recursive: true, force: true });
  });
  return async (changes) => {
    const copy = await copyCode();
    copies.push(copy);
    const src = join(copy, 'src');
    for (const change of changes) await plant(src, change);
    return src;
  };
}

/** Beside node_modules, so that it runs. */
async function copyCode(): Promise<string> {
  await mkdir(join(ROOT, '.tmp'), { recursive: true });
  const copy = await mkdtemp(join(ROOT, '.tmp', 'planted-'));
  await cp(join(ROOT, 'dist', 'src'), join(copy, 'src'), { recursive: true });
  await cp(join(ROOT, 'dist', 'broker'), join(copy, 'broker'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(copy, 'package.json'));
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'dir');
  return copy;
}

async function plant(src: string, { file, find, replace }: Change): Promise<void> {
  const path = join(src, file);
  const text = await readFile(path, 'utf8');
  expect(text.split(find), `${file} has one place that reads ${find}`).toHaveLength(2);
  await writeFile(
    path,
    text.replace(find, () => replace),
  );
}
