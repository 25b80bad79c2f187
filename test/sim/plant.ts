/**
 * Plants bugs: bundles the compiled simulator with a few pieces of its text replaced. A piece that is not found exactly
 * once fails the test: the code has changed, and the bug must be planted again.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
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
const SRC = join(ROOT, 'dist', 'src');

/**
 * Returns a function that bundles the simulator with changes and returns the directory of the bundle, with `hunt.js`
 * and `run-plan.js`. All bundles are removed after the tests of the file.
 */
export function createPlanter(): (changes: readonly Change[]) => Promise<string> {
  const directories: string[] = [];
  afterAll(async () => {
    for (const directory of directories) await rm(directory, { recursive: true, force: true });
  });
  return async (changes) => {
    await mkdir(join(ROOT, '.tmp'), { recursive: true });
    // Next to node_modules, so that what is not bundled is found.
    const directory = await mkdtemp(join(ROOT, '.tmp', 'planted-'));
    directories.push(directory);
    await bundle(changes, directory);
    return directory;
  };
}

async function bundle(changes: readonly Change[], directory: string): Promise<void> {
  const missing = new Set(changes);
  const built = await rolldown({
    input: { hunt: join(SRC, 'sim', 'hunt.js'), 'run-plan': join(SRC, 'sim', 'run-plan.js') },
    platform: 'node',
    plugins: [
      {
        name: 'plant',
        transform: (code, path) => {
          let text = code;
          for (const change of changes.filter(({ file }) => join(SRC, file) === path)) {
            text = plant(text, change);
            missing.delete(change);
          }
          return text;
        },
      },
    ],
  });
  await built.write({ dir: directory, format: 'esm', entryFileNames: '[name].js' });
  await built.close();
  expect([...missing], 'changes of files that the simulator does not use').toEqual([]);
}

function plant(text: string, { file, find, replace }: Change): string {
  expect(text.split(find), `${file} contains this text exactly once: ${find}`).toHaveLength(2);
  return text.replace(find, () => replace);
}
