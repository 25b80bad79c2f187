/**
 * Containers that were found running here: taken when somebody wants them moved, found again after a crash, and removed
 * only once they are frozen and their owner has said so. A container that runs is never removed from here.
 */
import type { Containers } from '../../container/containers.js';
import type { ContainerRunRecord } from './run-record.js';
import { isMarkedFrozen } from './container-watchdog.js';
import { follow, lookSettled, removeContainer, type MovedContainer } from './container-moves.js';
import { tryReadStart } from '../processes/process-table.js';
import type { ExternalProcess, RunEvent } from '../runner.js';

/** Why a container that was found here is gone: how it ended is between podman and whoever started it. */
export const CONTAINER_ENDED = 'its container ended, and podman alone knows how';

/** The head of the container that a process is in; `undefined` when the process is gone, or in none. */
export function describeExternal(
  { pid, start }: ExternalProcess,
  containers: Containers,
): ContainerRunRecord | undefined {
  const found = tryReadStart(pid);
  const id = containers.containerOf(pid);
  if (found === undefined || id === undefined || (found !== start && found.split('@')[0] !== start)) return undefined;
  return { kind: 'found', id, handle: null, cpuS: 0, wallMs: 0 };
}

/** Learns what its first process is. Tells RunStarted or RunFailed. */
export async function takeExternal(target: MovedContainer, containers: Containers): Promise<RunEvent> {
  const { run, head } = target;
  const seen = await containers.look(head.id);
  if (seen.state === 'running' && follow(target, seen.pid)) return { type: 'RunStarted', run, handle: target.handle };
  return { type: 'RunFailed', run, reason: seen.state === 'unknown' ? seen.reason : CONTAINER_ENDED };
}

/** Tells RunStarted when it runs or is frozen, as an earlier life of the node left it; else RunDied. */
export async function adoptExternal(target: MovedContainer, containers: Containers): Promise<RunEvent> {
  const { run, directory, head } = target;
  const seen = await lookSettled(head.id, containers);
  const isThere =
    seen.state === 'running' ? follow(target, seen.pid) : seen.state === 'stopped' && isMarkedFrozen(directory);
  return isThere
    ? { type: 'RunStarted', run, handle: target.handle }
    : { type: 'RunDied', run, reason: CONTAINER_ENDED };
}

/** Removes one that is frozen. podman itself refuses if somebody let it run by hand. */
export async function endFrozen({ run, head }: MovedContainer, containers: Containers): Promise<RunEvent> {
  const fault = await removeContainer(head.id, containers, false);
  return { type: 'RunDied', run, reason: fault === undefined ? 'stopped' : `somebody let it run again: ${fault}` };
}
