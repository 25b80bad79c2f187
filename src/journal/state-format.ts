/**
 * The format of a state directory, in a separate file that is read before anything else is opened. A format that this
 * version does not know is refused and nothing is touched: an older node would not understand the work that it finds.
 * What the formats contain is not known here.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readTextIfThere } from '../os/try-read.js';
import { writeWhole } from '../os/write-whole.js';

/**
 * The format that this version writes, and the newest that it reads. It is raised when an older version would damage
 * what is written: 1 has no format file (up to eb17494), 2 has one and keeps its journal where those versions do not
 * look, 3 has runs that those versions would not find and start again.
 */
export const STATE_FORMAT = 3;

/** The state directory was written by a newer version, or its format is unclear; the message says what to do. */
export class StateFormatError extends Error {
  override readonly name = 'StateFormatError';
  readonly stateDir: string;

  constructor(stateDir: string, message: string) {
    super(message);
    this.stateDir = stateDir;
  }
}

/** Path of the format file of a state directory. */
export function formatPath(stateDir: string): string {
  return join(stateDir, 'format');
}

/**
 * Checks the format and touches nothing. Throws {@link StateFormatError} if this version of tritmesh, `version`, does
 * not know it.
 */
export function checkStateFormat(stateDir: string, version: string): void {
  const found = readFormat(stateDir);
  if (found === undefined || found.format <= STATE_FORMAT) return;
  throw new StateFormatError(
    stateDir,
    `the state directory ${stateDir} was written by tritmesh ${found.version} in format ${found.format}, and this is ` +
      `tritmesh ${version}, which knows formats up to ${STATE_FORMAT}: start tritmesh ${found.version} or newer, or use a ` +
      'separate state directory for this one (--state-dir)',
  );
}

/** Records that this version uses the directory. Throws file system errors. */
export function writeStateFormat(stateDir: string, version: string): void {
  const found = readFormat(stateDir);
  if (found?.format === STATE_FORMAT && found.version === version) return;
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const path = formatPath(stateDir);
  writeWhole(path, `${JSON.stringify({ format: STATE_FORMAT, version })}\n`, `${path}.${process.pid}`);
}

interface StateFormat {
  readonly format: number;
  readonly version: string;
}

/** `undefined` when there is no file: the directory is new, or belongs to a version that wrote none. */
function readFormat(stateDir: string): StateFormat | undefined {
  const path = formatPath(stateDir);
  let text: string | undefined;
  try {
    text = readTextIfThere(path);
  } catch (error) {
    throw new StateFormatError(stateDir, `the format of the state directory cannot be read: ${String(error)}`);
  }
  if (text === undefined) return undefined;
  const found = parseFormat(text);
  if (found !== undefined) return found;
  throw new StateFormatError(
    stateDir,
    `${path} does not contain a format (expected {"format": a number, "version": a text}): start the version that last used ` +
      'the directory, or remove this file if that was this version',
  );
}

function parseFormat(text: string): StateFormat | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('format' in value) || !('version' in value)) return undefined;
    const { format, version } = value;
    // The name of a newer version may be anything, and it is shown to people.
    if (!Number.isSafeInteger(format) || Number(format) < 1 || typeof version !== 'string') return undefined;
    return { format: Number(format), version: version.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 64) };
  } catch {
    return undefined;
  }
}
