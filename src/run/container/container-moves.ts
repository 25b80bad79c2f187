/**
 * Freezes containers and resumes frozen ones. podman's state decides, and the file `still` marks a stop as a freeze:
 * it is created before podman is called and removed once the container runs again. Every operation can therefore be
 * repeated after a crash at any point.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js';
import type { Clock } from '../../clock/clock.js';
import type { ContainerSnapshot, Containers } from '../../container/containers.js';
import { describeError } from '../../os/errors.js';
import { writeRunRecord, type ContainerRunRecord } from './run-record.js';
import { isMarkedFrozen, markFrozen } from './container-watchdog.js';
import { readStart } from '../processes/process-table.js';
import type { RunEvent, RunHandle } from '../runner.js';

/** Dependencies of the operations on containers. */
export interface ContainerMovesDeps {
  readonly clock: Clock;
  readonly checkpoint: Checkpoint;
  readonly containers: Containers;
}

/** A run that is a container, as these operations need it. */
export interface MovedContainer {
  readonly run: string;
  readonly directory: string;
  head: ContainerRunRecord;
  /** The first process of an external container, or the watchdog of a copy. */
  handle: RunHandle;
}

const ASK_AGAIN_MS = 1000;

/** Freezes a run; resolves to RunFrozen, to FreezeFailed, or to RunDied when podman stopped it and cannot resume it. */
export async function freezeContainer(target: MovedContainer, parts: ContainerMovesDeps): Promise<RunEvent> {
  const { run, directory, head } = target;
  const { clock, checkpoint, containers } = parts;
  const from = clock.now();
  const look = await lookSettled(head.id, containers);
  if (look.state === 'stopped' && isMarkedFrozen(directory)) {
    const image = checkpoint.read(directory);
    const tookMs = clock.now() - from;
    if (image !== null) return { type: 'RunFrozen', run, imageBytes: image.imageBytes, tookMs };
    // An earlier node process left it half done.
    const died = await goOn(target, containers);
    if (died !== undefined) return died;
  } else if (look.state !== 'running') return { type: 'FreezeFailed', run, reason: 'its container has ended' };
  try {
    markFrozen(directory, true);
  } catch (error) {
    return { type: 'FreezeFailed', run, reason: describeError(error) };
  }
  const dumped = await containers.freeze(head.id, directory, head);
  if (dumped.ok) return { type: 'RunFrozen', run, imageBytes: dumped.imageBytes, tookMs: clock.now() - from };
  checkpoint.discard(directory);
  return (await goOn(target, containers)) ?? { type: 'FreezeFailed', run, reason: dumped.reason };
}

/** Resumes a run; resolves to RunThawed or RunDied. */
export async function thawContainer(
  target: MovedContainer,
  { containers, checkpoint }: ContainerMovesDeps,
): Promise<RunEvent> {
  const died = await goOn(target, containers);
  checkpoint.discard(target.directory);
  return died ?? { type: 'RunThawed', run: target.run };
}

/** Waits for podman commands in progress on a container, then returns its state; retries until podman reports one. */
export async function lookSettled(
  id: string,
  containers: Containers,
): Promise<Exclude<ContainerSnapshot, { state: 'unknown' }>> {
  for (;;) {
    await containers.settle(id);
    const look = await containers.look(id);
    if (look.state !== 'unknown') return look;
    await pause();
  }
}

/**
 * Removes a container, retrying until that succeeds; a running one only with `force`. Resolves to `undefined`, or to
 * podman's error when the container was left alone because it is running.
 */
export async function removeContainer(id: string, containers: Containers, force: boolean): Promise<string | undefined> {
  for (;;) {
    const fault = await containers.remove(id, force);
    if (fault === undefined) return undefined;
    const look = await lookSettled(id, containers);
    if (look.state === 'running' && !force) return fault;
    await pause();
  }
}

/**
 * Resumes a container whose stop was a freeze. Resolves to RunDied if it is not running afterwards, else `undefined`.
 */
async function goOn(target: MovedContainer, containers: Containers): Promise<RunEvent | undefined> {
  const { run, directory, head } = target;
  let look = await lookSettled(head.id, containers);
  if (look.state === 'stopped' && isMarkedFrozen(directory)) {
    const fault = await containers.resume(head.id, directory);
    if (fault !== undefined) return { type: 'RunDied', run, reason: `it could not go on: ${fault}` };
    look = await lookSettled(head.id, containers);
  }
  if (look.state === 'running' && head.kind === 'found') follow(target, look.pid);
  markFrozen(directory, false);
  // The end of a copy is reported by its watchdog.
  if (look.state === 'running' || head.kind === 'copy') return undefined;
  return { type: 'RunDied', run, reason: 'its container ended, and podman alone knows how' };
}

/** Does not keep an otherwise finished process alive. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS).unref());
}

/**
 * Takes `pid` as the container's first process from now on: podman gives a container a new one on each start. False
 * when it is gone. Throws when the process or the run directory is inaccessible.
 */
export function follow(target: MovedContainer, pid: number): boolean {
  const start = readStart(pid);
  if (start === undefined) return false;
  if (pid === target.handle.pid && start === target.handle.start) return true;
  target.handle = { pid, start };
  target.head = { ...target.head, handle: target.handle };
  writeRunRecord(target.directory, target.head);
  return true;
}
