/**
 * Finds the node that a command line means, as the configuration would, from the sources that can be read cheaply and
 * surely. Where any other source has a say, the configuration itself must be loaded.
 */
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { findConfigFile, findStateDirectory } from '../../config/places.js';
import { readTextIfThere } from '../../os/try-read.js';
import { readPlainSettings } from './plain-settings.js';
import type { NodeFlags } from './read-command.js';

/** The node that is meant. */
export interface ThinNode {
  readonly stateDir: string;
  /** Its id and base, if they were given: otherwise whichever node is in the state directory is meant. */
  readonly id: string | undefined;
  readonly base: string | undefined;
  readonly broker: string;
}

/** The environment and the directory of the command. */
export interface ThinPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
}

const VARIABLES: Readonly<Record<string, keyof NodeFlags>> = {
  TRITMESH_ID: 'id',
  TRITMESH_BASE: 'base',
  TRITMESH_BROKER: 'broker',
  TRITMESH_STATE_DIR: 'stateDir',
};
/** What jobs find in their environment; none of it is a key. */
const JOB_VARIABLES: ReadonlySet<string> = new Set([
  'TRITMESH_ITEM',
  'TRITMESH_OWNER',
  'TRITMESH_EPOCH',
  'TRITMESH_NODE',
  'TRITMESH_RUN_DIRECTORY',
  'TRITMESH_RUN_MARK',
]);
const DEFAULT_BROKER = 'mqtt://127.0.0.1:1883';
/** Written by `tritmesh join`. */
const JOINED_FILE = 'joined.yaml';

/** Finds it; `undefined` where only the whole configuration can tell. */
export function findThinNode(flags: NodeFlags, { env, directory }: ThinPlace): ThinNode | undefined {
  const variables = readVariables(env);
  if (variables === undefined) return undefined;
  const home = homedir();
  const machine = { home, isRoot: process.getuid?.() === 0 };
  const file = readSettings(findConfigFile(machine, env));
  const named = flags.stateDir ?? variables.stateDir;
  if (file === undefined || named?.startsWith('~') === true) return undefined;
  const stateDir = named === undefined ? findStateDirectory(machine, env) : resolve(directory, named);
  const joined = readSettings(join(stateDir, JOINED_FILE));
  if (joined === undefined) return undefined;
  return {
    stateDir,
    id: flags.id ?? variables.id ?? file.get('id'),
    base: flags.base ?? variables.base ?? file.get('base'),
    broker: flags.broker ?? variables.broker ?? file.get('broker') ?? joined.get('broker') ?? DEFAULT_BROKER,
  };
}

/** Those that name the node; `undefined` if any other may be a key, or a typo of one. */
function readVariables(env: ThinPlace['env']): NodeFlags | undefined {
  const found: Record<string, string> = {};
  for (const [name, value = ''] of Object.entries(env)) {
    if (!name.startsWith('TRITMESH_') || value === '' || JOB_VARIABLES.has(name)) continue;
    const flag = VARIABLES[name];
    if (flag === undefined) return undefined;
    found[flag] = value;
  }
  return found;
}

/** The settings of a file, none if it does not exist; `undefined` if it is not plain, or names a missing file. */
function readSettings(path: string): ReadonlyMap<string, string> | undefined {
  try {
    const text = readTextIfThere(path);
    if (text === undefined) return new Map();
    const settings = readPlainSettings(text);
    for (const key of ['password_file', 'ca_file']) {
      const named = settings?.get(key);
      if (named !== undefined) accessSync(resolve(path, '..', named), constants.R_OK);
    }
    return settings;
  } catch {
    return undefined;
  }
}
