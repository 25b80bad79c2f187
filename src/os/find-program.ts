/** Finds programs on a search path and checks whether a file can be executed. It never starts one. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** System directories that the PATH of a user or a service may leave out. */
const SYSTEM_PLACES = '/usr/sbin:/sbin:/usr/bin:/bin';

/** Returns a search path: `path` first, then the usual system directories. */
export function composeSearchPath(path: string | undefined = process.env['PATH']): string {
  return `${path ?? ''}:${SYSTEM_PLACES}`;
}

/** The first program called `name` along a search path; entries that are not absolute are skipped. */
export function findOnPath(name: string, path: string): string | undefined {
  const places = path.split(delimiter).filter((part) => isAbsolute(part));
  return places.map((place) => join(place, name)).find(isProgram);
}

/** Whether `path` is a file that this process may execute. */
export function isProgram(path: string): boolean {
  return isFile(path) && isExecutable(path);
}

/** Whether `path` resolves to a regular file; false for a symlink loop or where access is denied. */
export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
