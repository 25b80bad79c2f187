/**
 * Loads the configuration from, in this order: flags, variables, the configuration file, the record of which node the
 * state directory belongs to, what `tritmesh join` wrote, and defaults. Each key comes whole from the first source that
 * has it, is validated once, and its origin is kept. Nothing is written.
 */
import { join, dirname, resolve } from 'node:path';
import { parseNodeRecord, RECORD_PATH, type NodeRecord } from '../core/identity/node-record.js';
import { describeError } from '../os/errors.js';
import { readTextIfThere } from '../os/try-read.js';
import { ConfigError } from './config-error.js';
import type { Config } from './config.js';
import { createDefaults, type Variables } from './defaults.js';
import { findConfigFile } from './places.js';
import { readMachine, type Machine } from './machine.js';
import { mergeSettings } from './merge-settings.js';
import { FILE_FLAG, FILE_VARIABLE, readFlags, readVariables } from './sources.js';
import type { Setting } from './setting.js';
import { checkConfig } from './check-config.js';

/** Reads a file: returns `undefined` when there is none, and throws when it cannot be read. */
export type FileReader = (path: string) => string | undefined;

/** Sources of a configuration. Those left out are taken from this process. */
export interface ConfigInput {
  /**
   * By name in kebab-case (`state-dir`) or camel-case (`stateDir`), and `config`, a file. `undefined` means not given.
   */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly env?: Variables;
  readonly files?: FileReader;
  readonly machine?: Machine;
  /** Directory that relative paths in flags and variables are resolved against. */
  readonly directory?: string;
}

/** A validated configuration. */
export interface LoadedConfig {
  readonly config: Config;
  /** By dotted key: `--flag`, a variable, `FILE:LINE` or `default`. A key that is not set has none. */
  readonly origins: Readonly<Record<string, string>>;
  /** Which node the state directory belongs to; `undefined` before the first start of its node. */
  readonly record: NodeRecord | undefined;
}

/** File in the state directory that `tritmesh join` writes: yaml with the same keys, but not `state_dir`. */
export const JOINED_FILE = 'joined.yaml';

/**
 * Loads the configuration.
 *
 * @throws ConfigError for the first invalid setting
 */
export async function loadConfig(input: ConfigInput = {}): Promise<LoadedConfig> {
  const { flags = {}, env = process.env, files = readTextIfThere } = input;
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

/** Origin of a key that a person set; `undefined` where it comes from the state directory or is a default. */
export function findUserOrigin(
  { origins, config }: Pick<LoadedConfig, 'origins' | 'config'>,
  key: string,
): string | undefined {
  const origin = origins[key] ?? 'default';
  const isRemembered =
    origin === join(config.state_dir, ...RECORD_PATH) || origin.startsWith(`${join(config.state_dir, JOINED_FILE)}:`);
  return origin.startsWith('default') || isRemembered ? undefined : origin;
}

/** Treats a file that cannot be read as missing. */
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

/** `origin` says where the file was named; if given, the file must exist. */
async function readSettings(files: FileReader, file: string, machine: Machine, origin?: string): Promise<Setting[]> {
  const text = readText(files, file, origin);
  if (text === undefined) return [];
  // The parser is loaded only if there is a file: 50 ms on a cold start.
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
      expected: `cannot be read: ${describeError(error)}`,
    });
  }
  if (text === undefined && origin !== undefined) throw new ConfigError({ ...facts, expected: 'must exist' });
  return text;
}

/**
 * Id and base of the node that the state directory belongs to. If the node is named, an unreadable record is ignored.
 */
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
    const reason = describeError(error);
    const expected = `cannot be read: ${reason}; run this as the user that runs the node, or name the node with --id`;
    throw new ConfigError({ ...facts, expected });
  }
  if (text === undefined) return { settings: [], record: undefined };
  const read = parseNodeRecord(text);
  if (!read.ok) {
    const expected = `the record ${read.reason}; remove the file, the node writes a new one when it starts`;
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
  const expected = 'cannot be set in a file that is itself in the state directory';
  throw new ConfigError({ field: 'state_dir', value: '', expected, origin: misplaced.origin });
}

function findStateDirectoryIn(given: readonly (readonly Setting[])[]): string | undefined {
  const value = given.flat().find(({ key }) => key === 'state_dir')?.value;
  return typeof value === 'string' ? value : undefined;
}
