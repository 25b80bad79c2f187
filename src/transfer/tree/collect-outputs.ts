/**
 * Describes what comes home from a guest's directory: its stdout and stderr, and the files below `work/` that were
 * requested. An item that left nothing costs only a few file system calls. Links count only if they stay inside
 * `work/`. For a process stopped to be moved, its image and everything that belongs to it is included.
 */
import { lstat, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { matchGlobs } from './glob-match.js';
import { isBelow } from './inner-tree.js';
import { sealBundle } from '../bundle/manifest-bundle.js';
import type { Bundle } from '../transfer.js';
import { buildFromEntries, buildFromFile, buildManifest, NOTHING, type BuiltManifest } from './build-manifest.js';
import type { KnownDigests } from './known-digests.js';
import { checkName, type TreeEntry } from './tree-walk.js';

/** Describes what comes home. Throws Refused for a name that cannot be transferred. */
export async function collectOutputs(
  directory: string,
  globs: readonly string[],
  everything: boolean,
  known?: KnownDigests,
): Promise<Bundle> {
  const image = everything
    ? await describeImage(directory, known)
    : await buildManifest(join(directory, 'held'), 'held/');
  // A restored process expects its open files at their old length, even empty ones.
  const least = image.files.length === 0 || !everything ? 1 : 0;
  const streams = await Promise.all(['stdout', 'stderr'].map((name) => describeStream(directory, name, least)));
  const tree = await describeWork(join(directory, 'work'), globs, everything);
  const room = tree.room + image.room + sumRoom(streams);
  return sealBundle(
    directory,
    {
      files: [
        ...streams.flatMap((stream) => (stream === undefined ? [] : [stream.file])),
        ...tree.files,
        ...image.files,
      ],
      directories: [...tree.directories, ...image.directories],
    },
    room,
  );
}

/** The image of a stopped process, and the files outside its directory that it has open. */
async function describeImage(directory: string, known: KnownDigests | undefined): Promise<BuiltManifest> {
  const [image, carried, held] = [
    await buildManifest(join(directory, 'image'), 'image/', known),
    await buildManifest(join(directory, 'carried'), 'carried/'),
    await buildManifest(join(directory, 'held'), 'held/'),
  ];
  const newer = new Set(carried.files.map(({ path }) => path.replace('carried/', 'held/')));
  // Files it had open at an earlier move and has closed since are included too: they belong to the machine that the
  // process came from.
  const closed = held.files.filter(({ path }) => !newer.has(path));
  return {
    files: [...image.files, ...carried.files, ...closed],
    directories: [...image.directories, ...carried.directories, ...held.directories],
    room: image.room + carried.room + held.room,
  };
}

type Stream = Awaited<ReturnType<typeof buildFromFile>>;

function sumRoom(streams: readonly Stream[]): number {
  return streams.reduce((sum, stream) => sum + (stream?.room ?? 0), 0);
}

async function describeStream(directory: string, name: string, least: number): Promise<Stream> {
  const path = join(directory, name);
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isFile() === true && stats.size >= least ? buildFromFile(name, path) : undefined;
}

async function describeWork(work: string, globs: readonly string[], everything: boolean): Promise<BuiltManifest> {
  if (everything) return buildManifest(work, 'work/');
  if (globs.length === 0) return NOTHING;
  const entries: TreeEntry[] = [];
  for (const path of await matchGlobs(work, globs)) {
    checkName(path);
    const source = await resolveInside(work, path);
    if (source !== undefined) entries.push({ kind: 'file', path, source });
  }
  return buildFromEntries(entries, 'work/');
}

/** Returns the real path of a match, if it is (still) a file inside `work/`. */
async function resolveInside(work: string, path: string): Promise<string | undefined> {
  const real = await realpath(join(work, path)).catch(() => undefined);
  if (real === undefined || !isBelow(await realpath(work), real)) return undefined;
  return (await stat(real)).isFile() ? real : undefined;
}
