/**
 * Adapter of the Checkpoint port over CRIU. Connects capabilities, preflights and dump, which have files of their
 * own, and composes the command that restores an image.
 */
import { join } from 'node:path';
import { describeError } from '../os/errors.js';
import { prepareBinds, removeMade } from './open-files.js';
import type { Checkpoint, RestorePlan, Capabilities } from './checkpoint.js';
import type { ImageFacts } from '../protocol/image-facts.js';
import { dumpProcess, endDumps, readDumpFailure } from './dump.js';
import { identifyProcesses } from './identify.js';
import { IMAGE, measureImage, readImageFacts, removeImage } from './image-facts.js';
import { preflightDump } from './preflight-dump.js';
import { preflightRestore } from './preflight-restore.js';
import { readCapabilities } from './capabilities.js';
import { isStopped, signalTree } from './tree-signals.js';

/** Options of the adapter. */
export interface CheckpointOptions {
  /** Path of criu; if empty, it is searched for along PATH, then at `/opt/criu/criu`. */
  readonly criu: string;
}

/** Creates the adapter. It examines the machine on first use, not here. */
export function createCheckpoint({ criu }: CheckpointOptions): Checkpoint {
  let known: Promise<Capabilities> | undefined;
  const capabilities = (): Promise<Capabilities> => (known ??= readCapabilities(criu));

  return {
    capabilities: (done) => give(capabilities(), done),
    identify: identifyProcesses,
    preflightDump: (subject, done) => give(preflightDump(subject), done),
    preflightRestore: (facts, directory, done) =>
      give(
        capabilities().then((one) => preflightRestore(facts, one, directory, facts.image_bytes)),
        done,
      ),
    dump: (subject, spent, done) =>
      give(
        capabilities().then((one) => dumpProcess(subject, spent, one)),
        done,
      ),
    read: (directory) => {
      const facts = readImageFacts(directory);
      return facts === null ? null : { facts, imageBytes: measureImage(directory) };
    },
    isStopped,
    signal: (subject, signal) => void signalTree(subject, signal),
    abandon: (directory, done) => give(endDumps(directory), done),
    discard: removeImage,
    plan: (directory, mark, done) =>
      give(
        capabilities().then((one) => planRestore(directory, mark, one)),
        done,
      ),
    explain: (directory) => readDumpFailure(join(directory, 'criu-restore.log'), 'criu could not restore it'),
    clean: removeMade,
  };
}

async function planRestore(
  directory: string,
  mark: string,
  capabilities: Capabilities,
): Promise<RestorePlan | { readonly reason: string }> {
  const facts = readImageFacts(directory);
  if (facts === null) return { reason: 'the image is not complete' };
  const obstacles = preflightRestore(facts, capabilities, directory, 0);
  if (obstacles.length > 0) return { reason: obstacles.join('; ') };
  try {
    const binds = await prepareBinds(directory, facts);
    const argv = composeRestore(capabilities.criu, directory, facts, mark);
    return { facts, imageBytes: measureImage(directory), argv, binds, freePid: findFreePid(facts.pids) };
  } catch (error) {
    return { reason: `its files could not be put in place: ${describeError(error)}` };
  }
}

/**
 * Becomes the parent of the restored tree. It reaps nothing, which leaves the exit code of the root readable, and it
 * ignores signals that are sent to the whole pid namespace.
 */
const COPY_PARENT = `trap '' HUP INT QUIT TERM USR1 USR2 ALRM; : >"$1"; exec sleep 2147483647`;

function composeRestore(criu: string, directory: string, facts: ImageFacts, mark: string): readonly string[] {
  const log = join(directory, 'criu-restore.log');
  const restore = [criu, 'restore', '-D', join(directory, IMAGE), '-o', log, '-v2', '--leave-stopped'];
  const options = ['--manage-cgroups=ignore', '--file-locks', '--skip-file-rwx-check'];
  const parent = ['--exec-cmd', '--', '/bin/sh', '-c', COPY_PARENT, 'tritmesh-parent', mark];
  return [...restore, ...options, ...(facts.shell_job ? ['--shell-job'] : []), ...parent];
}

/** Start of the first block of a thousand pids that holds none of the tree; pids below 1000 are never returned. */
function findFreePid(pids: readonly number[]): number {
  const taken = new Set(pids.map((pid) => Math.floor(pid / 1000)));
  let block = 1;
  while (taken.has(block)) block += 1;
  return block * 1000;
}

/** Passes the value of a promise on. A rejection is a bug in this program and crashes it. */
function give<T>(work: Promise<T>, done: (value: T) => void): void {
  work.then(done).catch((error: unknown) => {
    queueMicrotask(() => {
      throw error;
    });
  });
}
