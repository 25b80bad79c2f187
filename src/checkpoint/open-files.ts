/**
 * Handles files that a process has open outside its run's directory. They are copied next to the image while the
 * process is stopped. Where it is restored, they are mounted over their paths in the copy's own mount namespace;
 * whatever that machine has at those paths is never written.
 */
import { chmod, chown, copyFile, mkdir } from 'node:fs/promises';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { DumpSubject } from './checkpoint.js';
import type { ImageFacts, OpenFile } from '../protocol/image-facts.js';
import { CARRIED, HELD } from './image-facts.js';
import { readOwnDescriptors } from './descriptors.js';
import { listEntries, listTree } from './proc-entry.js';

/** File that lists the paths created as targets of binds, one per line. */
const MADE = 'made';

/** A bind mount of `source` over `target`, both absolute. */
export interface Bind {
  readonly source: string;
  readonly target: string;
}

/** Copies the open files that travel into `carried/`. Rejects with file system errors. */
export async function copyOpenFiles(subject: DumpSubject, files: readonly OpenFile[]): Promise<void> {
  const wanted = new Set(files.filter(({ carried }) => carried).map(({ path }) => path));
  if (wanted.size === 0) return;
  const { files: open } = readOwnDescriptors(listTree(subject.pid, listEntries()));
  for (const { path, through } of open.filter((file) => wanted.has(file.path))) {
    const copy = placeBelow(join(subject.directory, CARRIED), path);
    await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
    await copyFile(through, copy);
  }
}

/**
 * Prepares what an image needs at its paths: the run's directory under the name that the process knows, and carried
 * files with their owner and mode. Resolves to the binds in the order to mount them; rejects with file system errors.
 */
export async function prepareBinds(directory: string, facts: ImageFacts): Promise<readonly Bind[]> {
  // From now on these are the files that the copy writes, and no longer part of an image.
  takeHold(directory);
  const own =
    facts.known_as === null || facts.known_as === directory ? [] : [{ source: directory, target: facts.known_as }];
  const made: string[] = [];
  for (const { target } of own) made.push(...makeDirectories(target));
  const binds: Bind[] = [];
  for (const { path, mode, uid, gid } of facts.files.filter(({ carried }) => carried)) {
    const source = placeBelow(join(directory, HELD), path);
    await chown(source, uid, gid);
    await chmod(source, mode);
    made.push(...makeDirectories(dirname(path)), ...makeFile(path));
    binds.push({ source, target: path });
  }
  if (made.length > 0) writeFileSync(join(directory, MADE), made.map((path) => `${path}\n`).join(''), { flag: 'a' });
  return [...own, ...binds];
}

/**
 * Files of an earlier move that have been closed since may still be held; carried ones are added to them or replace
 * them.
 */
function takeHold(directory: string): void {
  const [carried, held] = [join(directory, CARRIED), join(directory, HELD)];
  if (!existsSync(carried)) return;
  if (!existsSync(held)) return renameSync(carried, held);
  cpSync(carried, held, { recursive: true });
  rmSync(carried, { recursive: true });
}

/** Removes the paths that were created as targets of binds, as far as they are still empty. Does not throw. */
export function removeMade(directory: string): void {
  for (const path of readMade(directory).toReversed()) {
    try {
      const stats = statSync(path);
      if (stats.isDirectory()) rmdirSync(path);
      else if (stats.size === 0) unlinkSync(path);
    } catch {
      // In use, or already removed.
    }
  }
}

function readMade(directory: string): readonly string[] {
  try {
    return readFileSync(join(directory, MADE), 'utf8')
      .split('\n')
      .filter((path) => path.startsWith('/'));
  } catch {
    return [];
  }
}

/** Paths in facts are absolute but may contain `..`; joined like this they cannot lead out of `root`. */
function placeBelow(root: string, path: string): string {
  return join(root, join('/', path));
}

/** Creates a directory with its parents; returns those that did not exist, outermost first. */
function makeDirectories(path: string): readonly string[] {
  const missing: string[] = [];
  for (let place = path; statSync(place, { throwIfNoEntry: false }) === undefined; place = dirname(place)) {
    missing.unshift(place);
  }
  mkdirSync(path, { recursive: true });
  return missing;
}

function makeFile(path: string): readonly string[] {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return [];
  closeSync(openSync(path, 'wx', 0o600));
  return [path];
}
