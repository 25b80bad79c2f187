/**
 * Which format a state directory is in, in a file of its own that is read before anything else is opened. A format that this
 * version does not know is refused, with nothing touched: an older node would not understand the work that it finds. It knows
 * nothing of what the formats hold.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What this version writes, and the newest that it reads. It rises when a version before would do harm to what is written:
 * 1 is what has no file (up to eb17494), 2 has this file and keeps its journal where those versions do not look.
 */
export const STATE_FORMAT = 2;

/** The state directory was written by a newer version, or nobody can tell; the message says what to do. */
export class StateFormatError extends Error {
  override readonly name = 'StateFormatError';
  readonly stateDir: string;

  constructor(stateDir: string, message: string) {
    super(message);
    this.stateDir = stateDir;
  }
}

/** Where the format stands below a state directory. */
export function formatPath(stateDir: string): string {
  return join(stateDir, 'format');
}

/** Looks, and touches nothing. Throws {@link StateFormatError} for a format that `version`, this version, does not know. */
export function checkStateFormat(stateDir: string, version: string): void {
  const found = readFormat(stateDir);
  if (found === undefined || found.format <= STATE_FORMAT) return;
  throw new StateFormatError(
    stateDir,
    `the state directory ${stateDir} was written by tritmesh ${found.version} in format ${found.format}, and this is ` +
      `tritmesh ${version}, which knows formats up to ${STATE_FORMAT}: start tritmesh ${found.version} or newer, or give ` +
      'this one a directory of its own (--state-dir)',
  );
}

/** Writes down that this version uses the directory. Throws what the file system does. */
export function keepStateFormat(stateDir: string, version: string): void {
  const found = readFormat(stateDir);
  if (found?.format === STATE_FORMAT && found.version === version) return;
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  writeWhole(formatPath(stateDir), `${JSON.stringify({ format: STATE_FORMAT, version })}\n`);
}

interface StateFormat {
  readonly format: number;
  readonly version: string;
}

/** `undefined` when there is no file: the directory is new, or of a version that wrote none. */
function readFormat(stateDir: string): StateFormat | undefined {
  const path = formatPath(stateDir);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new StateFormatError(stateDir, `the format of the state directory cannot be read: ${String(error)}`);
  }
  const found = parseFormat(text);
  if (found !== undefined) return found;
  throw new StateFormatError(
    stateDir,
    `${path} does not say a format (expected {"format": a number, "version": a text}): start the version that used the ` +
      'directory last, or remove this file if that was this version',
  );
}

function parseFormat(text: string): StateFormat | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('format' in value) || !('version' in value)) return undefined;
    const { format, version } = value;
    // What a newer version calls itself is shown to people, and may be anything.
    if (!Number.isSafeInteger(format) || Number(format) < 1 || typeof version !== 'string') return undefined;
    return { format: Number(format), version: version.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 64) };
  } catch {
    return undefined;
  }
}

/** Writes a file so that it is there whole or not at all, also after a loss of power. */
export function writeWhole(path: string, text: string): void {
  const draft = `${path}.${process.pid}`;
  try {
    const file = openSync(draft, 'w', 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
