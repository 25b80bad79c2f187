/**
 * Finds out, before anything is started, whether a command can start, so that people read a plain sentence and not what
 * some shell makes of it. It starts nothing and decides nothing else.
 */
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { isFile, isProgram } from '../../os/find-program.js';

/** Why a command cannot start, as its exit code (the shell's: 127 not found, 126 not executable) and its stderr. */
export interface ProgramFault {
  readonly exitCode: 126 | 127;
  readonly sentence: string;
}

/** A program's absolute path, or why there is none. */
export type Found = { readonly path: string } | { readonly fault: ProgramFault };

/**
 * Looks for a program as `execvp` does: along `path`, or relative to `directory` when its name has a slash. A part of
 * the path that the node must not enter, or that leads in a circle, is passed over.
 */
export function findProgram(name: string, path: string, directory: string): Found {
  const places = name.includes('/') ? [resolve(directory, name)] : listPlaces(name, path, directory);
  const found = places.find(isProgram);
  if (found !== undefined) return { path: found };
  return !places.some(isFile)
    ? { fault: { exitCode: 127, sentence: `tritmesh: program not found: ${name}` } }
    : { fault: { exitCode: 126, sentence: `tritmesh: program is not executable: ${name}` } };
}

/** Says why a file cannot become stdin, or `undefined` if it can. */
export function findInputFault(name: string, directory: string): ProgramFault | undefined {
  const place = resolve(directory, name);
  try {
    accessSync(place, constants.R_OK);
    if (isFile(place)) return undefined;
  } catch {
    // Said below.
  }
  return { exitCode: 126, sentence: `tritmesh: stdin is not a readable file: ${name}` };
}

function listPlaces(name: string, path: string, directory: string): readonly string[] {
  return name === '' ? [] : path.split(':').map((part) => resolve(directory, part, name));
}
