/**
 * The adapter of the Checkpoint port over CRIU. It joins the parts: survey, inspection, dump, review and plan; each is in a file
 * of its own.
 */
import { join } from 'node:path';
import { prepareBinds, removeMade } from './carried-files.js';
import type { Checkpoint, RestorePlan, Survey } from './checkpoint.js';
import type { ImageFacts } from '../protocol/image-facts.js';
import { dumpProcess, endDumps, readReason } from './dump.js';
import { identifyProcesses } from './identify.js';
import { IMAGE, measureImage, readFacts, removeImage } from './image-facts.js';
import { inspectProcess } from './inspect.js';
import { reviewImage } from './review.js';
import { surveyMachine } from './survey.js';
import { isStopped, signalTree } from './tree-signals.js';

/** What the adapter needs to know. */
export interface CheckpointOptions {
  /** Path of criu; empty: along PATH, then `/opt/criu/criu`. */
  readonly criu: string;
}

/** Creates the adapter; it looks at the machine when it is first asked. */
export function createCheckpoint({ criu }: CheckpointOptions): Checkpoint {
  let known: Promise<Survey> | undefined;
  const survey = (): Promise<Survey> => (known ??= surveyMachine(criu));

  return {
    survey: (done) => give(survey(), done),
    identify: identifyProcesses,
    inspect: (subject, done) => give(inspectProcess(subject), done),
    review: (facts, directory, done) =>
      give(
        survey().then((one) => reviewImage(facts, one, directory, facts.image_bytes)),
        done,
      ),
    dump: (subject, spent, done) =>
      give(
        survey().then((one) => dumpProcess(subject, spent, one)),
        done,
      ),
    read: (directory) => {
      const facts = readFacts(directory);
      return facts === null ? null : { facts, imageBytes: measureImage(directory) };
    },
    isStopped,
    signal: (subject, signal) => void signalTree(subject, signal),
    abandon: (directory, done) => give(endDumps(directory), done),
    discard: removeImage,
    plan: (directory, mark, done) =>
      give(
        survey().then((one) => planRestore(directory, mark, one)),
        done,
      ),
    explain: (directory) => readReason(join(directory, 'criu-restore.log'), 'criu could not restore it'),
    clean: removeMade,
  };
}

async function planRestore(
  directory: string,
  mark: string,
  survey: Survey,
): Promise<RestorePlan | { readonly reason: string }> {
  const facts = readFacts(directory);
  if (facts === null) return { reason: 'the image is not complete' };
  const obstacles = reviewImage(facts, survey, directory, 0);
  if (obstacles.length > 0) return { reason: obstacles.join('; ') };
  try {
    const binds = await prepareBinds(directory, facts);
    const argv = composeRestore(survey.criu, directory, facts, mark);
    return { facts, imageBytes: measureImage(directory), argv, binds, freePid: findFreePid(facts.pids) };
  } catch (error) {
    return { reason: `its files could not be put in place: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/**
 * What becomes the parent of the copy: it reaps nothing, so that the exit code of the root stays to be read, and no signal to all
 * of the namespace ends it.
 */
const KEEPER = `trap '' HUP INT QUIT TERM USR1 USR2 ALRM; : >"$1"; exec sleep 2147483647`;

function composeRestore(criu: string, directory: string, facts: ImageFacts, mark: string): readonly string[] {
  const log = join(directory, 'criu-restore.log');
  const restore = [criu, 'restore', '-D', join(directory, IMAGE), '-o', log, '-v2', '--leave-stopped'];
  const options = ['--manage-cgroups=ignore', '--file-locks', '--skip-file-rwx-check'];
  const keeper = ['--exec-cmd', '--', '/bin/sh', '-c', KEEPER, 'tritmesh-keeper', mark];
  return [...restore, ...options, ...(facts.shell_job ? ['--shell-job'] : []), ...keeper];
}

/** The first thousand pids that hold none of the tree's. */
function findFreePid(pids: readonly number[]): number {
  const taken = new Set(pids.map((pid) => Math.floor(pid / 1000)));
  let block = 1;
  while (taken.has(block)) block += 1;
  return block * 1000;
}

/** Gives what a promise brings; a failure is a fault of this program. */
function give<T>(work: Promise<T>, done: (value: T) => void): void {
  work.then(done).catch((error: unknown) => {
    queueMicrotask(() => {
      throw error;
    });
  });
}
