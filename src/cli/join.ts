/** `tritmesh join URL`: remembers the broker in the state directory, then runs as `tritmesh node`. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { JOINED_FILE } from '../config/load-config.js';
import type { Config } from '../config/config.js';
import type { Context } from './context.js';
import { runNode } from './node.js';

/** What is remembered: how to reach the broker and as whom. A password itself never is, only the file that holds it. */
const KEPT = [
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
  // What is a default, or stands in the configuration file, stays there.
  const given = KEPT.filter((key) => isGiven(origins[key] ?? '', path));
  const kept = Object.fromEntries(given.map((key) => [key, config[key]]));
  await mkdir(config.state_dir, { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, stringify(kept), { mode: 0o600 });
  await rename(`${path}.new`, path);
  context.print(`joined ${config.broker}: ${path} remembers it, "tritmesh node" is enough from now on\n`);
  return runNode({ ...context, origins: { ...origins, broker: path } });
}

/** By a flag now, or when it joined before. */
function isGiven(origin: string, path: string): boolean {
  return origin.startsWith('--') || origin.startsWith(`${path}:`);
}
