/**
 * The open files of a process that are outside of its run's directory: copied beside the image while it is stopped, and
 * put over their paths, in a mount namespace of the copy's own, where it is restored. What is at those paths on that
 * machine is never written.
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
import { readDescriptors } from './descriptors.js';
import { listEntries, listTree } from './proc-entry.js';

/** Names, one a line, what was made for binds to lie on. */
const MADE = 'made';

/** One thing to mount over another. */
export interface Bind {
  readonly source: string;
  readonly target: string;
}

/** Copies the open files that travel. Throws what the file system does. */
export async function copyOpenFiles(subject: DumpSubject, files: readonly OpenFile[]): Promise<void> {
  const wanted = new Set(files.filter(({ carried }) => carried).map(({ path }) => path));
  if (wanted.size === 0) return;
  const { files: open } = readDescriptors(listTree(subject.pid, listEntries()));
  for (const { path, through } of open.filter((file) => wanted.has(file.path))) {
    const copy = placeBelow(join(subject.directory, CARRIED), path);
    await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
    await copyFile(through, copy);
  }
}

/**
 * Makes ready what an image needs at its paths: the run's directory under the name that the process knows, and carried
 * files, which get their owner and mode. Throws what the file system does; the binds are in the order to mount them.
 */
export async function prepareBinds(directory: string, facts: ImageFacts): Promise<readonly Bind[]> {
  // From now on they are the files that the copy writes, and no part of an image.
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

/** Files that were closed before this move may be held already: those that are carried come beside or over them. */
function takeHold(directory: string): void {
  const [carried, held] = [join(directory, CARRIED), join(directory, HELD)];
  if (!existsSync(carried)) return;
  if (!existsSync(held)) return renameSync(carried, held);
  cpSync(carried, held, { recursive: true });
  rmSync(carried, { recursive: true });
}

/** Removes what was made for binds, as far as it is still empty. */
export function removeMade(directory: string): void {
  for (const path of readMade(directory).toReversed()) {
    try {
      const stats = statSync(path);
      if (stats.isDirectory()) rmdirSync(path);
      else if (stats.size === 0) unlinkSync(path);
    } catch {
      // Somebody uses it, or has removed it.
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

/** Paths of facts are absolute, but may hold `..`: joined below a root they cannot lead out of it. */
function placeBelow(root: string, path: string): string {
  return join(root, join('/', path));
}

/** Makes a directory with its parents; gives those that were not there, outermost first. */
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
