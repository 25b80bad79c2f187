/**
 * Reads and writes `facts.json` of an image. It is written atomically and last, because its presence makes the image
 * complete, and validated when it is read, because it may come from another machine.
 */
import { existsSync, readFileSync, renameSync, rm, rmSync } from 'node:fs';
import { join } from 'node:path';
import { measureFiles } from '../os/measure-tree.js';
import { writeWhole } from '../os/write-whole.js';
import { imageFactsSchema, type ImageFacts } from '../protocol/image-facts.js';

/**
 * Directories below that of a run: the image, files that the process had open elsewhere, and such files in use by a
 * restored copy.
 */
export const IMAGE = 'image';
export const CARRIED = 'carried';
export const HELD = 'held';

const FACTS = 'facts.json';

/** Writes the facts; the image is complete when this returns. Throws file system errors. */
export function writeImageFacts(directory: string, facts: ImageFacts): void {
  writeWhole(join(directory, IMAGE, FACTS), `${JSON.stringify(facts)}\n`);
}

/** Reads the facts of an image; `null` when there are none or they are invalid. */
export function readImageFacts(directory: string): ImageFacts | null {
  try {
    const parsed = imageFactsSchema.safeParse(JSON.parse(readFileSync(join(directory, IMAGE, FACTS), 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/**
 * Removes the image of a directory and returns whether there was one, complete or not. It no longer counts as
 * complete when this returns; its files are deleted in the background. Throws file system errors.
 */
export function removeImage(directory: string): boolean {
  const wasThere = existsSync(join(directory, IMAGE));
  rmSync(join(directory, IMAGE, FACTS), { force: true });
  for (const name of [IMAGE, CARRIED]) {
    const place = join(directory, name);
    const gone = join(directory, `${name}-gone`);
    if (!existsSync(place)) continue;
    rmSync(gone, { recursive: true, force: true });
    renameSync(place, gone);
    rm(gone, { recursive: true, force: true }, () => undefined);
  }
  return wasThere;
}

/** Returns the total size of the files in an image, in bytes. */
export function measureImage(directory: string): number {
  return measureFiles(join(directory, IMAGE));
}
