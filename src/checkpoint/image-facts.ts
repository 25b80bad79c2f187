/**
 * The file `facts.json` of an image: written as a whole and last, because with it the image counts as complete; checked
 * when it is read, because it may have come from another machine.
 */
import { existsSync, readFileSync, renameSync, rm, rmSync } from 'node:fs';
import { join } from 'node:path';
import { measureFiles } from '../os/measure-tree.js';
import { writeWhole } from '../os/write-whole.js';
import { imageFactsSchema, type ImageFacts } from '../protocol/image-facts.js';

/**
 * Directories below that of a run: the image; files that the process had open elsewhere; and those of a copy that was
 * restored.
 */
export const IMAGE = 'image';
export const CARRIED = 'carried';
export const HELD = 'held';

const FACTS = 'facts.json';

/** Writes the facts; the image is complete and on the disk then. Throws what the file system does. */
export function writeImageFacts(directory: string, facts: ImageFacts): void {
  writeWhole(join(directory, IMAGE, FACTS), `${JSON.stringify(facts)}\n`);
}

/** Reads facts; `null` when there are none, or no valid ones. */
export function readImageFacts(directory: string): ImageFacts | null {
  try {
    const parsed = imageFactsSchema.safeParse(JSON.parse(readFileSync(join(directory, IMAGE, FACTS), 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/**
 * Removes the image of a directory; gives whether there was any, complete or not. It is not complete any more when this
 * returns; large files take a while longer.
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

/** Bytes of the files in an image. */
export function measureImage(directory: string): number {
  return measureFiles(join(directory, IMAGE));
}
