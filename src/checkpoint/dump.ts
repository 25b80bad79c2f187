/**
 * Dumps a process tree with criu and leaves it stopped. criu is a separate process that may outlive the node; a
 * variable in its environment identifies it, and a later boot of the node finds and kills it that way. Only its exit
 * status decides, never its log.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../os/errors.js';
import { composeSearchPath } from '../os/find-program.js';
import type { Dumped, ResourceUsage, DumpSubject, Capabilities } from './checkpoint.js';
import { copyOpenFiles } from './open-files.js';
import { findCause } from './criu-log.js';
import { GHOST_BYTES_MAX } from './descriptors.js';
import { IMAGE, measureImage, removeImage, writeImageFacts } from './image-facts.js';
import { inspectStopped, preflightDump } from './preflight-dump.js';
import { killMarked, signalTree } from './tree-signals.js';

/** Environment variable with the directory that a criu dumps into. */
const MARK = 'TRITMESH_CRIU';
/** A dump may take `DUMP_MS`, plus the time that its bytes need at `BYTES_PER_MS` (10 MB/s). */
const DUMP_MS = 60_000;
const BYTES_PER_MS = 10_000;
const GONE_MS = 5;

/**
 * Dumps a subject; `spent` is added to its facts. On any failure the original continues and no image is left, neither
 * of this dump nor of an earlier one.
 */
export async function dumpProcess(
  subject: DumpSubject,
  spent: ResourceUsage,
  capabilities: Capabilities,
): Promise<Dumped> {
  const { directory } = subject;
  // First of all: whatever fails from here on, an image of an earlier dump must not pass for one of this dump.
  const unremoved = tryRemoveImage(directory);
  if (unremoved !== undefined) return { ok: false, reason: unremoved };
  if (!capabilities.usable) return { ok: false, reason: capabilities.reason };
  const { obstacles, facts } = await preflightDump(subject);
  if (obstacles.length > 0 || facts === null) return { ok: false, reason: obstacles.join('; ') };
  try {
    mkdirSync(join(directory, IMAGE), { recursive: true, mode: 0o700 });
    const fault = await runCriu(
      subject,
      facts.shell_job,
      capabilities.criu,
      DUMP_MS + facts.image_bytes / BYTES_PER_MS,
    );
    if (fault !== undefined) return await undo(subject, fault.reason, fault.isByItself);
    // Only now, with the tree stopped, are the sizes of its open files final.
    const last = inspectStopped(subject, measureImage(directory));
    if (last === null) return await undo(subject, 'it was gone when it had been written down');
    await copyOpenFiles(subject, last.files);
    const { cpu_s, wall_ms } = last;
    const whole = { ...last, criu: capabilities.version, cpu_s: cpu_s + spent.cpuS, wall_ms: wall_ms + spent.wallMs };
    writeImageFacts(directory, whole);
    return { ok: true, facts: whole, imageBytes: measureImage(directory) };
  } catch (error) {
    return undo(subject, describeError(error));
  }
}

/** Kills every criu that dumps into a directory; resolves when none is left. */
export async function endDumps(directory: string): Promise<void> {
  while (killMarked(MARK, directory) > 0) await new Promise((resolve) => setTimeout(resolve, GONE_MS));
}

/**
 * `isAsBefore`: criu failed and left the tree as it found it, possibly stopped by someone else, so it is not
 * continued.
 */
async function undo(subject: DumpSubject, reason: string, isAsBefore: boolean = false): Promise<Dumped> {
  await endDumps(subject.directory);
  if (!isAsBefore) signalTree(subject, 'SIGCONT');
  const unremoved = tryRemoveImage(subject.directory);
  return { ok: false, reason: unremoved === undefined ? reason : `${reason}; ${unremoved}` };
}

/** Removes the image of a directory; returns why it could not, as a sentence. */
function tryRemoveImage(directory: string): string | undefined {
  try {
    removeImage(directory);
    return undefined;
  } catch (error) {
    return `the image in ${directory} could not be removed: ${describeError(error)}`;
  }
}

async function runCriu(
  { pid, init, directory }: DumpSubject,
  isShellJob: boolean,
  criu: string,
  boundMs: number,
): Promise<{ readonly reason: string; readonly isByItself: boolean } | undefined> {
  const log = join(directory, 'criu-dump.log');
  rmSync(log, { force: true });
  const target = init === null ? String(pid) : readInner(pid);
  const dump = [criu, 'dump', '-t', target, '-D', join(directory, IMAGE), '-o', log, '-v2', '--leave-stopped'];
  const options = ['--manage-cgroups=ignore', '--file-locks', '--ghost-limit', String(GHOST_BYTES_MAX)];
  const full = [...enter(init), ...dump, ...options, ...(isShellJob ? ['--shell-job'] : [])];
  const code = await runBounded(full, directory, boundMs);
  if (code === 0) return undefined;
  if (code === 'late') return { reason: 'criu did not end in time', isByItself: false };
  return { reason: readDumpFailure(log, `criu ended with ${code}`), isByItself: typeof code === 'number' };
}

/**
 * Command prefix that enters the pid and mount namespaces of a run. criu must be in both, or it takes them for
 * namespaces of the process itself.
 */
function enter(init: number | null): readonly string[] {
  return init === null ? [] : ['nsenter', '-t', String(init), '-p', '-m', '--'];
}

function readInner(pid: number): string {
  return /^NSpid:.*\s(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? String(pid);
}

function runBounded(argv: readonly string[], directory: string, boundMs: number): Promise<number | string> {
  const [program = '', ...args] = argv;
  return new Promise((resolve) => {
    const env = { PATH: composeSearchPath(), [MARK]: directory };
    const child = spawn(program, args, { env, cwd: '/', detached: true, stdio: 'ignore' });
    const bound = setTimeout(() => {
      resolve('late');
      void endDumps(directory);
    }, boundMs);
    const end = (code: number | string): void => {
      clearTimeout(bound);
      resolve(code);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(code ?? signal ?? 'nothing'));
  });
}

/** Returns the cause of a failure from a criu log; `otherwise` when the log has none or cannot be read. */
export function readDumpFailure(log: string, otherwise: string): string {
  try {
    return findCause(readFileSync(log, 'utf8')) ?? otherwise;
  } catch {
    return otherwise;
  }
}
