/**
 * Handles external containers: they become runs when they are to be moved, are adopted after a crash, and are removed
 * only once frozen and on their owner's request. A running container must never be removed here.
 */
import type { Containers } from '../../container/containers.js';
import type { ContainerRunRecord } from './run-record.js';
import { isMarkedFrozen } from './container-watchdog.js';
import { follow, lookSettled, removeContainer, type MovedContainer } from './container-moves.js';
import { tryReadStart } from '../processes/process-table.js';
import type { ExternalProcess } from '../../protocol/item.js';
import type { RunEvent } from '../runner.js';

/** Why an external container is gone: only podman and the program that started it know how it ended. */
export const CONTAINER_ENDED = 'its container ended, and podman alone knows how';

/** The record of the container that a process is in; `undefined` when the process is gone or in no container. */
export function describeExternal(
  { pid, start }: ExternalProcess,
  containers: Containers,
): ContainerRunRecord | undefined {
  const found = tryReadStart(pid);
  const id = containers.containerOf(pid);
  if (found === undefined || id === undefined || (found !== start && found.split('@')[0] !== start)) return undefined;
  return { kind: 'found', id, handle: null, cpuS: 0, wallMs: 0 };
}

/** Finds the container's first process; resolves to RunStarted or RunFailed. */
export async function takeExternal(target: MovedContainer, containers: Containers): Promise<RunEvent> {
  const { run, head } = target;
  const seen = await containers.look(head.id);
  if (seen.state === 'running' && follow(target, seen.pid)) return { type: 'RunStarted', run, handle: target.handle };
  return { type: 'RunFailed', run, reason: seen.state === 'unknown' ? seen.reason : CONTAINER_ENDED };
}

/**
 * Resolves to RunStarted if the container is running, or was left frozen by an earlier node process; else to RunDied.
 */
export async function adoptExternal(target: MovedContainer, containers: Containers): Promise<RunEvent> {
  const { run, directory, head } = target;
  const seen = await lookSettled(head.id, containers);
  const isThere =
    seen.state === 'running' ? follow(target, seen.pid) : seen.state === 'stopped' && isMarkedFrozen(directory);
  return isThere
    ? { type: 'RunStarted', run, handle: target.handle }
    : { type: 'RunDied', run, reason: CONTAINER_ENDED };
}

/** Removes a frozen container and resolves to RunDied. podman refuses if somebody resumed it by hand. */
export async function endFrozen({ run, head }: MovedContainer, containers: Containers): Promise<RunEvent> {
  const fault = await removeContainer(head.id, containers, false);
  return { type: 'RunDied', run, reason: fault === undefined ? 'stopped' : `somebody let it run again: ${fault}` };
}
