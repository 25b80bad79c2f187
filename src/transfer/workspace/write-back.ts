/**
 * Local files that a process had open when it was first moved away. They are recorded here from the process itself,
 * and only they are put back after it has ended elsewhere. A path received from another node never counts.
 */
import { access, chmod, chown, lstat, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../../os/errors.js';
import type { Manifest } from '../../protocol/manifest.js';
import { Refused } from '../outcome.js';
import { readDigest } from '../tree/file-hash.js';
import { swapIn } from '../tree/place-outputs.js';
import { copySparse } from '../tree/sparse-file.js';

const CARRIED = 'carried/';
/** Left by the runner in the directory of a run that it did not start; a copy of the run never has it. */
const EXTERNAL_FILE = 'foreign';
const LENT = 'lent.json';

const lentSchema = z.array(
  z.object({
    path: z.string().regex(/^\/[^\0]*$/),
    sha256: z.string(),
    mode: z.int(),
    uid: z.int(),
    gid: z.int(),
  }),
);
type Lent = z.infer<typeof lentSchema>[number];

/** Records the local files that a guest takes along, if it is an external process adopted on this machine. */
export async function recordWriteBack(guest: string, itemDirectory: string, { files }: Manifest): Promise<void> {
  if (!(await isThere(join(guest, EXTERNAL_FILE)))) return;
  const lent: Lent[] = [];
  for (const file of files.filter(({ path }) => path.startsWith(CARRIED))) {
    const path = join('/', file.path.slice(CARRIED.length));
    const stats = await lstat(path).catch(() => undefined);
    // A file that no longer has a name cannot be put back.
    if (stats?.isFile() !== true) continue;
    lent.push({ path, sha256: file.sha256, mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid });
  }
  const place = join(itemDirectory, LENT);
  await writeFile(`${place}.new`, JSON.stringify(lent));
  await rename(`${place}.new`, place);
}

/** Puts back the files in `held` that have changed. Throws Refused for a path that is no longer what it was. */
export async function writeBack(held: string, itemDirectory: string): Promise<void> {
  for (const lent of await readLent(itemDirectory)) {
    const source = join(held, lent.path);
    if (!(await isThere(source)) || (await readDigest(source))?.sha256 === lent.sha256) continue;
    await putBack(source, lent);
  }
}

async function putBack(source: string, { path, mode, uid, gid }: Lent): Promise<void> {
  const parent = dirname(path);
  // A link created meanwhile must not redirect this.
  const real = await realpath(parent).catch(() => undefined);
  if (real !== parent) throw new Refused(`${parent} is not the directory any more that ${basename(path)} was in`);
  const stats = await lstat(path).catch(() => undefined);
  if (stats !== undefined && !stats.isFile()) throw new Refused(`${path} is in the way: it is no file any more`);
  await swapIn(path, async (draft) => {
    await copySparse(source, draft);
    await chown(draft, uid, gid);
    await chmod(draft, mode);
  });
}

async function readLent(itemDirectory: string): Promise<readonly Lent[]> {
  try {
    return lentSchema.parse(JSON.parse(await readFile(join(itemDirectory, LENT), 'utf8')));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
