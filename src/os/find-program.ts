/** Finds programs by their names, and says what is one. It starts none. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Where the programs of the system are that a user's PATH, or that of a service, may leave out. */
const SYSTEM_PLACES = '/usr/sbin:/sbin:/usr/bin:/bin';

/** A search path: the given one first, then the usual places of the system's programs. */
export function composeSearchPath(path: string | undefined = process.env['PATH']): string {
  return `${path ?? ''}:${SYSTEM_PLACES}`;
}

/** The first program of a name along a search path; a part of it that is no absolute path is passed over. */
export function findOnPath(name: string, path: string): string | undefined {
  const places = path.split(delimiter).filter((part) => isAbsolute(part));
  return places.map((place) => join(place, name)).find(isProgram);
}

/** Whether there is a file that this process may execute. */
export function isProgram(path: string): boolean {
  return isFile(path) && isExecutable(path);
}

/** Whether a path leads to a file; one that leads in a circle, or where it must not look, does not. */
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
