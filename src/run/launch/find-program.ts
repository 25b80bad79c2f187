/**
 * Checks before a start whether the command can be executed, so that people get a clear message instead of the
 * shell's. It never starts anything.
 */
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { isFile, isProgram } from '../../os/find-program.js';

/** Why a command cannot start: exit code (127 not found, 126 not executable, as in the shell) and text for stderr. */
export interface ProgramFault {
  readonly exitCode: 126 | 127;
  readonly sentence: string;
}

/** A program's absolute path, or why it cannot be executed. */
export type Found = { readonly path: string } | { readonly fault: ProgramFault };

/**
 * Looks for a program like `execvp`: along `path`, or relative to `directory` if the name has a slash. Entries of the
 * path that are inaccessible or end in a symlink loop are skipped.
 */
export function findProgram(name: string, path: string, directory: string): Found {
  const places = name.includes('/') ? [resolve(directory, name)] : listPlaces(name, path, directory);
  const found = places.find(isProgram);
  if (found !== undefined) return { path: found };
  return !places.some(isFile)
    ? { fault: { exitCode: 127, sentence: `tritmesh: program not found: ${name}` } }
    : { fault: { exitCode: 126, sentence: `tritmesh: program is not executable: ${name}` } };
}

/** Returns why a file cannot become stdin, or `undefined` if it can. */
export function findInputFault(name: string, directory: string): ProgramFault | undefined {
  const place = resolve(directory, name);
  try {
    accessSync(place, constants.R_OK);
    if (isFile(place)) return undefined;
  } catch {
    // Reported below.
  }
  return { exitCode: 126, sentence: `tritmesh: stdin is not a readable file: ${name}` };
}

function listPlaces(name: string, path: string, directory: string): readonly string[] {
  return name === '' ? [] : path.split(':').map((part) => resolve(directory, part, name));
}
