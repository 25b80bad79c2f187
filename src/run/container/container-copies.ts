/**
 * Handles container copies at their receiver: a copy is prepared once podman's check finds no obstacle and a watchdog
 * is waiting, and only that watchdog starts it. How a copy ended is what its watchdog recorded; without a watchdog
 * nothing of it may stay alive.
 */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '../../checkpoint/checkpoint.js';
import { EXPORT_FILE, type Containers } from '../../container/containers.js';
import { describeError } from '../../os/errors.js';
import { writeRunRecord, readRunRecord, type ContainerRunRecord } from './run-record.js';
import {
  forbidContainerStart,
  isMarkedFrozen,
  WATCHDOG_FILES,
  readWatchdogReport,
  startContainerWatchdog,
  type WatchdogReport,
} from './container-watchdog.js';
import { lookSettled, removeContainer, type MovedContainer } from './container-moves.js';
import type { Deadline } from '../watchdog/deadline.js';
import { openRunDirectory } from '../directory/run-directory.js';
import type { RunEvent, RunHandle, StartRequest } from '../runner.js';
import { isAlive } from '../processes/process-table.js';
import { listOrphans, signalProcess } from '../processes/session.js';

const WAIT_MS = 10;
/** Checks for a watchdog's `keeper` file, which is the first thing that it writes. */
const BEGIN_LOOKS = 500;
const WATCHDOG_GONE = 'its watchdog is gone';

/**
 * Prepares a copy; resolves to its record and the handle of its watchdog, or to the reason why it cannot be prepared.
 * `deadline` was set when the lease began.
 */
export async function prepareCopy(
  { directory }: StartRequest,
  deadline: Deadline,
  checkpoint: Checkpoint,
  containers: Containers,
): Promise<{ readonly head: ContainerRunRecord; readonly handle: RunHandle } | { readonly reason: string }> {
  if (readRunRecord(directory) !== undefined) return { reason: `was started before in ${directory}` };
  const facts = checkpoint.read(directory)?.facts;
  if (facts?.container === undefined) return { reason: 'the image is not complete' };
  const obstacles = await containers.preflightRestore(facts, directory);
  if (obstacles.length > 0) return { reason: obstacles.join('; ') };
  try {
    const fault = openRunDirectory(directory, true);
    if (fault !== undefined) return { reason: fault };
    deadline.flush();
    const { id } = facts.container;
    const head: ContainerRunRecord = { kind: 'copy', id, handle: null, cpuS: facts.cpu_s, wallMs: facts.wall_ms };
    writeRunRecord(directory, head);
    startContainerWatchdog(directory, id, EXPORT_FILE, await containers.environment());
    const handle = await awaitWatchdog(directory);
    return handle === undefined ? { reason: 'its watchdog did not start' } : { head, handle };
  } catch (error) {
    return { reason: `it could not be prepared: ${describeError(error)}` };
  }
}

/** Adopts the copy of an earlier node process; resolves to the event that the runner's `adopt` emits. */
export async function adoptCopy(target: MovedContainer, containers: Containers): Promise<RunEvent> {
  const { run, directory } = target;
  const handle = forbidContainerStart(directory) ? undefined : await awaitWatchdog(directory);
  if (handle === undefined) return { type: 'RunFailed', run, reason: 'its watchdog never started' };
  target.handle = handle;
  const word = readWatchdogReport(directory);
  const end = readEnd(target, word);
  if (end !== undefined) return end;
  if (!isAlive(handle)) return endOrphan(target, containers);
  return { type: word.isThawed ? 'RunStarted' : 'RunPrepared', run, handle };
}

/**
 * Ends a copy: podman asks a running one to stop and kills it after the grace period; any other is removed by its
 * watchdog.
 */
export async function stopCopy(
  { directory, head, handle }: MovedContainer,
  graceMs: number,
  containers: Containers,
): Promise<undefined> {
  if (graceMs > 0 && readWatchdogReport(directory).isRestored && !isMarkedFrozen(directory))
    await containers.stop(head.id, Math.ceil(graceMs / 1000));
  else if (isAlive(handle)) signalProcess(handle.pid, 'SIGTERM');
}

/**
 * Releases a copy: its watchdog starts it and records the outcome. Returns ThawFailed when the release could not be
 * written, else `undefined`.
 */
export function letGo({ run, directory, handle }: MovedContainer): RunEvent | undefined {
  try {
    writeFileSync(join(directory, WATCHDOG_FILES.thawed), '');
  } catch (error) {
    // The watchdog starts nothing without that file.
    signalProcess(handle.pid, 'SIGTERM');
    return { type: 'ThawFailed', run, reason: describeError(error) };
  }
  if (isAlive(handle)) signalProcess(handle.pid, 'SIGUSR1');
  return undefined;
}

/** The final event of a copy according to its watchdog's report; `undefined` when that has no end. */
export function readEnd({ run, directory, head }: MovedContainer, word: WatchdogReport): RunEvent | undefined {
  const { exit, ended, unthawed } = word;
  if (exit !== undefined) {
    const runMs = head.wallMs + measureLife(directory);
    return { type: 'RunExited', run, ...exit, cpuS: head.cpuS, runMs };
  }
  if (ended !== undefined) return { type: 'RunDied', run, reason: ended };
  return unthawed === undefined ? undefined : { type: 'ThawFailed', run, reason: unthawed };
}

/**
 * Concludes a copy whose watchdog is gone without a report: waits for the processes it left at work, then removes the
 * container if the copy had been released.
 */
export async function endOrphan(target: MovedContainer, containers: Containers): Promise<RunEvent> {
  const { run, directory, head, handle } = target;
  while (hasOrphans(handle.pid, directory)) await pause();
  const word = readWatchdogReport(directory);
  const end = readEnd(target, word);
  if (end !== undefined) return end;
  // A container with this id is not ours then.
  if (!word.isThawed) return { type: 'RunDied', run, reason: WATCHDOG_GONE };
  const look = await lookSettled(head.id, containers);
  if (look.state === 'absent' && !word.isRestored) return { type: 'ThawFailed', run, reason: WATCHDOG_GONE };
  await removeContainer(head.id, containers, true);
  return { type: 'RunDied', run, reason: WATCHDOG_GONE };
}

/** When it cannot be determined (no descriptors left), the answer is yes, and the caller asks again. */
function hasOrphans(pid: number, directory: string): boolean {
  try {
    return listOrphans(pid, directory).length > 0;
  } catch {
    return true;
  }
}

async function awaitWatchdog(directory: string): Promise<RunHandle | undefined> {
  for (let looks = 0; looks < BEGIN_LOOKS; looks += 1) {
    const { handle } = readWatchdogReport(directory);
    if (handle !== undefined) return handle;
    await pause();
  }
  return undefined;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, WAIT_MS));
}

/** Milliseconds from its start here to its end, by the wall clock; 0 when unknown. */
function measureLife(directory: string): number {
  const [begun, done] = [WATCHDOG_FILES.thawed, WATCHDOG_FILES.exit].map(
    (name) => statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs,
  );
  return begun === undefined || done === undefined ? 0 : Math.max(0, done - begun);
}
