/**
 * Freezes a container and lets a frozen one go on. What podman says of it decides, and the mark `still` says what its
 * stop means: it is made before podman is asked, and taken away when the container runs again. So each may be asked for
 * again after any crash.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js';
import type { Clock } from '../../clock/clock.js';
import type { ContainerSnapshot, Containers } from '../../container/containers.js';
import { describeError } from '../../os/errors.js';
import { writeRunRecord, type ContainerRunRecord } from './run-record.js';
import { isMarkedFrozen, markFrozen } from './container-watchdog.js';
import { readStart } from '../processes/process-table.js';
import type { RunEvent, RunHandle } from '../runner.js';

/** What moves are made with. */
export interface ContainerMovesDeps {
  readonly clock: Clock;
  readonly checkpoint: Checkpoint;
  readonly containers: Containers;
}

/** A run, as far as a move goes. */
export interface MovedContainer {
  readonly run: string;
  readonly directory: string;
  head: ContainerRunRecord;
  /** The first process of one that was found here, the keeper of a copy. */
  handle: RunHandle;
}

const ASK_AGAIN_MS = 1000;

/** Freezes a run; tells RunFrozen, FreezeFailed, or RunDied when podman stopped it and cannot let it go on. */
export async function freezeContainer(target: MovedContainer, parts: ContainerMovesDeps): Promise<RunEvent> {
  const { run, directory, head } = target;
  const { clock, checkpoint, containers } = parts;
  const from = clock.now();
  const look = await lookSettled(head.id, containers);
  if (look.state === 'stopped' && isMarkedFrozen(directory)) {
    const image = checkpoint.read(directory);
    const tookMs = clock.now() - from;
    if (image !== null) return { type: 'RunFrozen', run, imageBytes: image.imageBytes, tookMs };
    // An earlier life of the node left it half done.
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

/** Lets a run go on; tells RunThawed, or RunDied. */
export async function thawContainer(
  target: MovedContainer,
  { containers, checkpoint }: ContainerMovesDeps,
): Promise<RunEvent> {
  const died = await goOn(target, containers);
  checkpoint.discard(target.directory);
  return died ?? { type: 'RunThawed', run: target.run };
}

/** What podman says of a container that nobody is at work on, once it says anything. */
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
 * Removes a container, however often that must be tried; a stopped one only, unless forced. Gives why it was let be: it
 * runs.
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

/** Has it run, when its stop was a freeze. Tells how it died otherwise. */
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
  // Of a copy its keeper says how it ended.
  if (look.state === 'running' || head.kind === 'copy') return undefined;
  return { type: 'RunDied', run, reason: 'its container ended, and podman alone knows how' };
}

/** Keeps no program alive that has nothing else to do. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS).unref());
}

/**
 * Goes by this process from now on: podman gives a container another one each time it starts it. False when it is gone.
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
