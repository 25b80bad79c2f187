/**
 * Plants bugs: copies the compiled code and replaces a few pieces of its text. A piece that is not found fails the
 * test: the code has changed, and the bug must be planted again.
 */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';

/** A piece of the compiled code, and its replacement. */
export interface Change {
  /** Below `dist/src`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** The root of the repository. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Returns a function that applies changes to a copy of the code and returns the copy's `src`. All copies are removed
 * after the tests of the file.
 */
export function createPlanter(): (changes: readonly Change[]) => Promise<string> {
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

/** Copies the code to a directory next to node_modules, where it can run. */
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
  expect(text.split(find), `${file} contains this text exactly once: ${find}`).toHaveLength(2);
  await writeFile(
    path,
    text.replace(find, () => replace),
  );
}
