/**
 * The loader: flags before variables before the configuration file before the record of whose the state directory is, before
 * what `tritmesh join` wrote, before defaults. Each key comes whole from one of them, is checked once, and its origin is kept.
 * It writes nothing.
 */
import { readFileSync } from 'node:fs';
import { join, dirname, resolve } from 'node:path';
import { parseRecord, RECORD_PATH, type NodeRecord } from '../core/node-record.js';
import { ConfigError } from './config-error.js';
import type { Config } from './config.js';
import { createDefaults, findConfigFile, type Variables } from './defaults.js';
import { readMachine, type Machine } from './machine.js';
import { mergeSettings } from './merge-settings.js';
import { FILE_FLAG, FILE_VARIABLE, readFlags, readVariables } from './sources.js';
import type { Setting } from './setting.js';
import { checkConfig } from './check-config.js';

/** Reads a file: `undefined` when there is none, throws when it cannot be read. */
export type FileReader = (path: string) => string | undefined;

/** What a configuration is made from. What is left out is this process's own. */
export interface ConfigInput {
  /** By name in kebab-case (`state-dir`) or camel-case (`stateDir`), and `config`: a file. `undefined`: not given. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly env?: Variables;
  readonly files?: FileReader;
  readonly machine?: Machine;
  /** Directory that relative paths of flags and variables start from. */
  readonly directory?: string;
}

/** A checked configuration. */
export interface LoadedConfig {
  readonly config: Config;
  /** By dotted key: `--flag`, a variable, `FILE:LINE` or `default`. A key that is not set has none. */
  readonly origins: Readonly<Record<string, string>>;
  /** What the state directory says of whose it is; `undefined` before the first start of its node. */
  readonly record: NodeRecord | undefined;
}

/** File in the state directory that `tritmesh join` writes: yaml with the same keys, but not `state_dir`. */
export const JOINED_FILE = 'joined.yaml';

/**
 * Loads the configuration.
 *
 * @throws ConfigError for the first thing that is not as it must be
 */
export async function loadConfig(input: ConfigInput = {}): Promise<LoadedConfig> {
  const { flags = {}, env = process.env, files = readIfThere } = input;
  const machine = input.machine ?? readMachine();
  const places = { directory: input.directory ?? process.cwd(), home: machine.home };
  const defaults = createDefaults(machine, env);
  const given: Setting[][] = [[...readFlags(flags, places)], [...readVariables(env, places)]];
  const named = findNamedFile(flags, env);
  const file = named === undefined ? findConfigFile(machine, env) : resolve(places.directory, named.path);
  given.push(await readSettings(files, file, machine, named?.origin));
  const stateDirectory = findStateDirectoryIn(given) ?? defaults.state_dir;
  const isGiven = (wanted: string): boolean => given.flat().some(({ key }) => key === wanted);
  const recorded = readRecord(files, stateDirectory, isGiven('id'));
  const joined = await readJoined(files, machine, stateDirectory, isGiven('broker'));
  const merged = mergeSettings([...given, recorded.settings, joined], defaults, files);
  return { config: checkConfig(merged), origins: merged.origins, record: recorded.record };
}

/** Whether a person said it, or the state directory remembers it, or nobody did: the origin of a key that a person said. */
export function findPersonsOrigin(
  { origins, config }: Pick<LoadedConfig, 'origins' | 'config'>,
  key: string,
): string | undefined {
  const origin = origins[key] ?? 'default';
  const isRemembered =
    origin === join(config.state_dir, ...RECORD_PATH) || origin.startsWith(`${join(config.state_dir, JOINED_FILE)}:`);
  return origin.startsWith('default') || isRemembered ? undefined : origin;
}

/** Reads a file of this machine. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file that may not be read is as good as none. */
function ifReadable(files: FileReader): FileReader {
  return (path) => {
    try {
      return files(path);
    } catch {
      return undefined;
    }
  };
}

interface NamedFile {
  readonly path: string;
  readonly origin: string;
}

function findNamedFile(flags: Readonly<Record<string, unknown>>, env: Variables): NamedFile | undefined {
  const flag = flags[FILE_FLAG];
  if (typeof flag === 'string') return { path: flag, origin: `--${FILE_FLAG}` };
  const variable = env[FILE_VARIABLE];
  return variable ? { path: variable, origin: FILE_VARIABLE } : undefined;
}

/** `origin` says who named the file: then it must be there. */
async function readSettings(files: FileReader, file: string, machine: Machine, origin?: string): Promise<Setting[]> {
  const text = readText(files, file, origin);
  if (text === undefined) return [];
  // Only who has a file pays for its parser: 50 ms on a cold start.
  const { readYaml } = await import('./yaml-source.js');
  return [...readYaml(text, file, { directory: dirname(file), home: machine.home })];
}

function readText(files: FileReader, file: string, origin: string | undefined): string | undefined {
  const facts = { field: 'configuration file', value: file, origin: origin ?? 'default' };
  let text: string | undefined;
  try {
    text = files(file);
  } catch (error) {
    throw new ConfigError({
      ...facts,
      expected: `cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
  if (text === undefined && origin !== undefined) throw new ConfigError({ ...facts, expected: 'must be there' });
  return text;
}

/** Id and base of the node that this state directory belongs to. Whoever names the node needs no record to be read. */
function readRecord(
  files: FileReader,
  stateDirectory: string,
  isNamed: boolean,
): { readonly settings: Setting[]; readonly record: NodeRecord | undefined } {
  const path = join(stateDirectory, ...RECORD_PATH);
  const facts = { field: 'id', value: '', origin: path };
  let text: string | undefined;
  try {
    text = files(path);
  } catch (error) {
    if (isNamed) return { settings: [], record: undefined };
    const reason = error instanceof Error ? error.message : String(error);
    const expected = `cannot be read: ${reason}; run this as the user that runs the node, or name the node with --id`;
    throw new ConfigError({ ...facts, expected });
  }
  if (text === undefined) return { settings: [], record: undefined };
  const read = parseRecord(text);
  if (!read.ok) {
    const expected = `the record ${read.reason}; remove the file, the node writes it anew when it starts`;
    throw new ConfigError({ ...facts, expected });
  }
  const { id, base } = read.record;
  const settings = [
    { key: 'id', value: id, origin: path },
    { key: 'base', value: base, origin: path },
  ];
  return { settings, record: read.record };
}

async function readJoined(
  files: FileReader,
  machine: Machine,
  stateDirectory: string,
  hasBroker: boolean,
): Promise<Setting[]> {
  const path = join(stateDirectory, JOINED_FILE);
  const settings = await readSettings(hasBroker ? ifReadable(files) : files, path, machine);
  const misplaced = settings.find(({ key }) => key === 'state_dir');
  if (misplaced === undefined) return settings;
  const expected = 'cannot be set in a file that is looked for in the state directory';
  throw new ConfigError({ field: 'state_dir', value: '', expected, origin: misplaced.origin });
}

function findStateDirectoryIn(given: readonly (readonly Setting[])[]): string | undefined {
  const value = given.flat().find(({ key }) => key === 'state_dir')?.value;
  return typeof value === 'string' ? value : undefined;
}
