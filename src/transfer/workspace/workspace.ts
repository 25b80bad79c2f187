/**
 * The directories of a node's items and guests below its state directory. Only this code fills, empties and moves
 * them. It never touches anything else except the inputs (read) and the destination (written) that an item names, and
 * the local files recorded for write-back (see `write-back.ts`).
 */
import { access, lstat, mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describeError, errorCode } from '../../os/errors.js';
import type { Command } from '../../protocol/item.js';
import { adoptCollected, rememberCollected } from './adopt-guest.js';
import { collectOutputs } from '../tree/collect-outputs.js';
import { isSpaceFault, Refused, toOutcome } from '../outcome.js';
import { sealBundle } from '../bundle/manifest-bundle.js';
import { recordWriteBack, writeBack } from './write-back.js';
import { followImage, type FollowedImage } from '../tree/follow-image.js';
import { createKnownDigests, type KnownDigests } from '../tree/known-digests.js';
import { linkFile, placeTree } from '../tree/place-outputs.js';
import { stageInputs } from '../tree/stage-inputs.js';
import { createLayout, type StateLayout } from './state-layout.js';
import { createKeptGuests } from './kept-guests.js';
import { sweepState } from './sweep.js';
import type { Bundle, Contents, Needed, Swept, Workspace } from '../transfer.js';
import { createTrash, type Trash } from './trash.js';
import { buildManifest, NOTHING, type BuiltManifest } from '../tree/build-manifest.js';

/** Creates the workspace below `stateDir` (absolute). `done` is never called before a call has returned. */
export function createWorkspace(stateDir: string, known: KnownDigests = createKnownDigests()): Workspace {
  const trash = createTrash(stateDir);
  const kept = createKeptGuests();
  const layout: Rooms = { ...createLayout(stateDir), trash };
  // What an earlier boot could not remove; it was reported then.
  void trash.empty();
  /** Runs in the background: nothing waits for it. */
  const removeLater = (path: string): void => void trash.remove(path);
  async function sweep({ item, guest }: Needed, dryRun: boolean): Promise<Swept> {
    await kept.markAgain();
    const needed: Needed = { item, guest: (name) => guest(name) || kept.isUnmarked(name) };
    return sweepState(stateDir, needed, dryRun, trash);
  }

  const followed = new Map<string, FollowedImage>();
  async function collectFollowed(directory: string, globs: readonly string[], everything: boolean): Promise<Bundle> {
    await followed.get(directory)?.stop();
    followed.delete(directory);
    return collect(directory, globs, everything, known);
  }

  return {
    left$: trash.left$,
    follow: (directory) => {
      void followed.get(directory)?.stop();
      followed.set(directory, followImage(directory, known));
    },
    sweep: (needed, dryRun, done) => toOutcome(sweep(needed, dryRun), done),
    keepGuest: (owner, item, epoch, done) =>
      toOutcome(kept.keep(`${owner}/${item}/${epoch}`, layout.guest(owner, item, epoch)), done),
    stage: (item, inputs, command, done) => toOutcome(stage(layout, item, inputs, command), done),
    restage: (item, command, image, done) =>
      toOutcome(describeStaged(image ? layout.image(item) : layout.staged(item), command), done),
    resealImage: (item, contents, command, done) => toOutcome(reseal(layout.image(item), contents, command), done),
    guestDirectory: (owner, item, epoch) => layout.guest(owner, item, epoch),
    collect: (directory, globs, everything, done) => toOutcome(collectFollowed(directory, globs, everything), done),
    homeDirectory: (item, epoch) => layout.home(item, epoch),
    place: (item, epoch, destination, done) => toOutcome(place(layout, item, epoch, destination), done),
    carry: (item, epoch, image, done) => toOutcome((image ? carryImage : carry)(layout, item, epoch), done),
    dropImage: (item) => removeLater(layout.image(item)),
    adoptGuest: (owner, item, epoch, done) => toOutcome(adopt(layout, owner, item, epoch), done),
    removeGuest: (owner, item, epoch) => {
      const directory = layout.guest(owner, item, epoch);
      void followed.get(directory)?.stop();
      followed.delete(directory);
      void removeEpoch(directory, trash);
    },
    removeItem: (item, all) => {
      if (all) return removeLater(layout.item(item));
      for (const path of [layout.staged(item), layout.image(item)]) removeLater(path);
    },
  };
}

/** The paths of the state directory, and its trash. */
type Rooms = StateLayout & { readonly trash: Trash };

/** The copy is built next to its final place: a crash in between leaves no partial copy there. */
async function stage(
  layout: Rooms,
  item: string,
  inputs: readonly string[],
  command: Command | undefined,
): Promise<Bundle> {
  const staged = layout.staged(item);
  if (inputs.length === 0) return seal(staged, NOTHING, command);
  const draft = `${staged}.new`;
  try {
    await layout.trash.remove(draft);
    await stageInputs(inputs, draft);
    await layout.trash.remove(staged);
    await rename(draft, staged);
  } catch (error) {
    void layout.trash.remove(draft);
    throw error;
  }
  return describeStaged(staged, command);
}

async function describeStaged(staged: string, command: Command | undefined): Promise<Bundle> {
  return seal(staged, await buildManifest(staged, ''), command);
}

function seal(root: string, { room, ...described }: BuiltManifest, command: Command | undefined): Bundle {
  return sealBundle(root, { ...described, command }, room);
}

async function reseal(image: string, contents: Contents, command: Command | undefined): Promise<Bundle> {
  let room = 0;
  for (const { path, size } of contents.files) {
    const stats = await lstat(join(image, path));
    if (!stats.isFile() || stats.size !== size) throw new Error(`${path} is not what came home`);
    room += stats.blocks * 512;
  }
  return sealBundle(image, { ...contents, command }, room);
}

async function collect(
  directory: string,
  globs: readonly string[],
  everything: boolean,
  known: KnownDigests,
): Promise<Bundle> {
  const bundle = await collectOutputs(directory, globs, everything, known);
  await rememberCollected(directory, bundle.manifest);
  return bundle;
}

async function place(
  layout: StateLayout,
  item: string,
  epoch: number,
  destination: string | undefined,
): Promise<undefined> {
  const home = layout.home(item, epoch);
  try {
    for (const name of ['stdout', 'stderr']) await placeStream(join(home, name), join(layout.item(item), name));
    await writeBack(join(home, 'held'), layout.item(item));
    if (destination !== undefined) await placeTree(join(home, 'work'), destination);
  } catch (error) {
    // Disk space may be freed while we retry. Any other failure is final: it takes a person to fix.
    throw isSpaceFault(error) ? error : new Refused(describeError(error));
  }
}

/** A stream that stayed empty was not transferred: one from an earlier epoch must not stand in for it. */
async function placeStream(source: string, target: string): Promise<void> {
  if (await exists(source)) await linkFile(source, target);
  else await rm(target, { force: true });
}

/**
 * The mark is written before the move: a repeat after a crash continues, and does not create an empty `work/` to
 * replace the staged input with.
 */
async function carry(layout: Rooms, item: string, epoch: number): Promise<undefined> {
  const [home, staged] = [layout.home(item, epoch), layout.staged(item)];
  const mark = join(layout.item(item), `carried-${epoch}`);
  if (!(await exists(home))) throw new Refused(`nothing came home of ${item} in epoch ${epoch}`);
  if (!(await exists(mark))) {
    await mkdir(join(home, 'work'), { recursive: true });
    await writeFile(mark, '');
  }
  if (!(await exists(join(home, 'work')))) return;
  const old = `${staged}.old`;
  await layout.trash.remove(old);
  if (await exists(staged)) await rename(staged, old);
  await rename(join(home, 'work'), staged);
  void layout.trash.remove(old);
}

/**
 * The same epoch may be frozen more than once, so no mark is written: a repeat after a crash finds either what came
 * home or the image made from it.
 */
async function carryImage(layout: Rooms, item: string, epoch: number): Promise<undefined> {
  const [home, image] = [layout.home(item, epoch), layout.image(item)];
  if (!(await exists(home))) {
    if (await exists(image)) return;
    throw new Refused(`no image came home of ${item} in epoch ${epoch}`);
  }
  const old = `${image}.old`;
  await layout.trash.remove(old);
  if (await exists(image)) await rename(image, old);
  await rename(home, image);
  void layout.trash.remove(old);
}

async function adopt(layout: StateLayout, owner: string, item: string, epoch: number): Promise<Contents> {
  const guest = layout.guest(owner, item, epoch);
  if (!(await exists(guest))) throw new Refused(`${guest} is gone`);
  const manifest = await adoptCollected(guest, layout.home(item, epoch));
  await recordWriteBack(guest, layout.item(item), manifest);
  const { files, directories } = manifest;
  return { files, directories };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** The item's directory is removed with its last epoch: a receiver handles thousands of items over time. */
async function removeEpoch(guest: string, trash: Trash): Promise<void> {
  await trash.remove(guest);
  // It fails while another epoch of the item is there, as intended.
  await rmdir(dirname(guest)).catch(() => undefined);
}
