/**
 * Walks a directory in a fixed order and lists what can be transferred: regular files and empty directories. A
 * symbolic link counts as its target if that is inside the directory; the walk never leaves the directory.
 */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isInnerPath } from '../../protocol/item.js';
import { MANIFEST_PATH_CHARS_MAX } from '../../protocol/limits.js';
import { Refused } from '../outcome.js';
import { isBelow } from './inner-tree.js';

/** A file or empty directory that can be transferred. */
export interface TreeEntry {
  readonly kind: 'file' | 'directory';
  /** Path relative to the root of the walk, `/` as separator. */
  readonly path: string;
  /** Absolute path of the content; not below the directory of `path` if a link was followed. */
  readonly source: string;
}

/** What to do about links that lead out, loops, devices, sockets and pipes: throw an error naming them, or skip. */
export type Strangers = 'refuse' | 'skip';

/** Walks `root`. Throws {@link Refused} for names that cannot be transferred and, with `refuse`, for strangers. */
export async function* walkTree(root: string, strangers: Strangers): AsyncGenerator<TreeEntry, void, void> {
  const real = await realpath(root);
  yield* walkDirectory({ root: real, strangers, real, path: '', above: [] });
}

interface Step {
  readonly root: string;
  readonly strangers: Strangers;
  /** Real path of the directory. */
  readonly real: string;
  /** Its path in the walk; empty for the root. */
  readonly path: string;
  /** Real paths of its parent directories in the walk. */
  readonly above: readonly string[];
}

async function* walkDirectory(step: Step): AsyncGenerator<TreeEntry, void, void> {
  const entries = await readdir(step.real, { withFileTypes: true });
  if (entries.length === 0 && step.path !== '') yield { kind: 'directory', path: step.path, source: step.real };
  for (const entry of entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    const path = step.path === '' ? entry.name : `${step.path}/${entry.name}`;
    checkName(path);
    const source = join(step.real, entry.name);
    if (entry.isFile()) yield { kind: 'file', path, source };
    else if (entry.isDirectory()) yield* descend(step, path, source);
    else if (entry.isSymbolicLink()) yield* followLink(step, path, source);
    else refuse(step, `${source} is neither a file nor a directory`);
  }
}

function descend(step: Step, path: string, real: string): AsyncGenerator<TreeEntry, void, void> {
  return walkDirectory({ ...step, path, real, above: [...step.above, step.real] });
}

async function* followLink(step: Step, path: string, link: string): AsyncGenerator<TreeEntry, void, void> {
  const real = await realpath(link).catch(() => undefined);
  if (real === undefined) return refuse(step, `${link} is a symbolic link that leads nowhere`);
  if (!isBelow(step.root, real)) return refuse(step, `${link} is a symbolic link that leads out of ${step.root}`);
  const stats = await stat(real);
  if (stats.isFile()) yield { kind: 'file', path, source: real };
  else if (!stats.isDirectory()) refuse(step, `${link} leads to neither a file nor a directory`);
  else if (real === step.real || step.above.includes(real))
    refuse(step, `${link} is a symbolic link that goes in a circle`);
  else yield* descend(step, path, real);
}

function refuse(step: Step, reason: string): void {
  if (step.strangers === 'refuse') throw new Refused(reason);
}

/** Throws {@link Refused} for a path that the rules of the manifest do not allow. */
export function checkName(path: string): void {
  if (!isInnerPath(path)) throw new Refused(`${path} cannot travel: a name must not hold a backslash`);
  if (path.length > MANIFEST_PATH_CHARS_MAX) {
    throw new Refused(`${path.slice(0, 80)}… cannot travel: it is over ${MANIFEST_PATH_CHARS_MAX} characters long`);
  }
}
