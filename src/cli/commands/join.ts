/** `tritmesh join URL`: saves the broker in the state directory, then runs as `tritmesh node`. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { JOINED_FILE } from '../../config/load-config.js';
import type { Config } from '../../config/config.js';
import type { Context } from '../context.js';
import { runNode } from './node.js';

/** The saved keys: how to reach the broker and as which user. A password is never saved, only the path of its file. */
const SAVED_KEYS = [
  'broker',
  'base',
  'id',
  'username',
  'password_file',
  'ca_file',
] as const satisfies readonly (keyof Config)[];

export async function joinMesh(context: Context): Promise<number> {
  const { config, origins } = context;
  const path = join(config.state_dir, JOINED_FILE);
  // Defaults and values of the configuration file are not copied: they may change there.
  const given = SAVED_KEYS.filter((key) => isGiven(origins[key] ?? '', path));
  const kept = Object.fromEntries(given.map((key) => [key, config[key]]));
  await mkdir(config.state_dir, { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, stringify(kept), { mode: 0o600 });
  await rename(`${path}.new`, path);
  context.print(`joined ${config.broker}, saved in ${path}: from now on "tritmesh node" is enough\n`);
  return runNode({ ...context, origins: { ...origins, broker: path } });
}

/** Whether a value came from a flag, or from an earlier `tritmesh join`. */
function isGiven(origin: string, path: string): boolean {
  return origin.startsWith('--') || origin.startsWith(`${path}:`);
}
