/** Programs of this machine, also those that Debian installs into a directory that is not in a user's PATH. */
import { delimiter, join } from 'node:path';
import { isProgram } from '../../src/os/find-program.js';

/** The path of an installed program; `undefined` if this machine does not have it. */
export function findInstalled(name: string): string | undefined {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  const folders = [...path, '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin'];
  return folders.map((folder) => join(folder, name)).find(isProgram);
}
