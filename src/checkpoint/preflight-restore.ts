/**
 * Preflight at the receiver: reports in plain words what prevents an image from being restored here. It reads the
 * files that an image names but trusts the names no further, and changes nothing.
 */
import { readFileSync, statSync } from 'node:fs';
import { readBuildId } from './build-id.js';
import type { Capabilities } from './checkpoint.js';
import type { ImageFacts, MappedFile, OpenFile } from '../protocol/image-facts.js';
import { findRoomObstacle } from '../os/disk-space.js';
import { isAtLeast } from './capabilities.js';

/** Checks an image and returns the obstacles. `roomBytes`: disk space that it still needs below `directory`. */
export function preflightRestore(
  facts: ImageFacts,
  capabilities: Capabilities,
  directory: string,
  roomBytes: number,
): readonly string[] {
  if (!capabilities.usable) return [capabilities.reason];
  return [
    ...(isAtLeast(capabilities.version, facts.criu.split('.').slice(0, 2).join('.') || '0')
      ? []
      : [`criu ${capabilities.version} is older than ${facts.criu}, which wrote the image`]),
    ...facts.mapped.flatMap((file) => findMappedFault(file, file.path === facts.exe) ?? []),
    ...(isOwn(facts, facts.cwd) || isDirectory(facts.cwd) ? [] : [`its working directory is missing: ${facts.cwd}`]),
    ...facts.files.flatMap((file) => findFileFault(file) ?? []),
    ...findPidFault(facts.pids),
    ...findRoomObstacle(directory, roomBytes),
  ];
}

function findMappedFault({ path, build_id, size }: MappedFile, isExe: boolean): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  const what = isExe ? 'its program' : 'a library or file that it has mapped';
  if (stats?.isFile() !== true) return `${what} is missing: ${path}`;
  if (build_id === null) return stats.size === size ? undefined : `${what} has another size: ${path}`;
  return readBuildId(path) === build_id ? undefined : `${what} is another build: ${path}`;
}

function findFileFault({ path, size, carried }: OpenFile): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (carried) return stats === undefined || stats.isFile() ? undefined : `what it has open is no file here: ${path}`;
  if (stats?.isFile() !== true) return `a file that it has open is missing: ${path}`;
  return stats.size === size ? undefined : `a file that it has open has another size: ${path}`;
}

/** The kernel only assigns pids below its maximum. */
function findPidFault(pids: readonly number[]): readonly string[] {
  const max = Number.parseInt(readFileSync('/proc/sys/kernel/pid_max', 'latin1'), 10);
  return pids.every((pid) => pid < max) ? [] : [`its pid ${Math.max(...pids)} is above the highest one here, ${max}`];
}

function isOwn({ known_as }: ImageFacts, path: string): boolean {
  return known_as !== null && (path === known_as || path.startsWith(`${known_as}/`));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
