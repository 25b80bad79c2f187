/**
 * Merges the settings of all sources: the first source that has a key wins. It also derives values from other keys: the
 * password from its file, slots from cpus, the user name from the id.
 */
import { describeError } from '../os/errors.js';
import { ConfigError } from './config-error.js';
import type { Config } from './config.js';
import { countDefaultSlots } from './defaults.js';
import { CONFIG_KEYS } from './keys.js';
import type { Setting } from './setting.js';

/** All keys that are set, not validated yet. */
export interface Merged {
  readonly values: ReadonlyMap<string, unknown>;
  readonly origins: Readonly<Record<string, string>>;
}

/**
 * Merges sources, highest priority first.
 *
 * @param readFile returns the text of a file, `undefined` when there is none
 * @throws ConfigError when `password` and `password_file` come from one source, or that file cannot be read
 */
export function mergeSettings(
  sources: readonly (readonly Setting[])[],
  defaults: Config,
  readFile: (path: string) => string | undefined,
): Merged {
  const chosen = chooseSettings(sources, defaults);
  choosePassword(chosen, sources);
  readPassword(chosen, readFile);
  deriveSlots(chosen);
  deriveUsername(chosen);
  return {
    values: new Map([...chosen].map(([key, { value }]) => [key, value])),
    origins: Object.fromEntries([...chosen].map(([key, { origin }]) => [key, origin])),
  };
}

type Chosen = Map<string, Setting>;

function chooseSettings(sources: readonly (readonly Setting[])[], defaults: Config): Chosen {
  const chosen: Chosen = new Map();
  for (const { key } of CONFIG_KEYS) {
    const value = readDotted(defaults, key);
    if (value !== undefined) chosen.set(key, { key, value, origin: 'default' });
  }
  for (const source of sources.toReversed()) for (const setting of source) chosen.set(setting.key, setting);
  return chosen;
}

/** The value at a dotted key; `undefined` where there is none. */
export function readDotted(value: unknown, key: string): unknown {
  let inner = value;
  for (const name of key.split('.')) {
    if (typeof inner !== 'object' || inner === null) return undefined;
    inner = (inner as Readonly<Record<string, unknown>>)[name];
  }
  return inner;
}

/** The source with the higher priority decides whether the password or its file counts. */
function choosePassword(chosen: Chosen, sources: readonly (readonly Setting[])[]): void {
  for (const source of sources) {
    const [first, second] = source.filter(({ key }) => key === 'password' || key === 'password_file');
    if (first === undefined) continue;
    if (second !== undefined && first.key !== second.key) {
      const expected = 'must not be given together with password';
      throw new ConfigError({ field: 'password_file', value: '', expected, origin: second.origin });
    }
    chosen.delete(first.key === 'password' ? 'password_file' : 'password');
    return;
  }
}

function readPassword(chosen: Chosen, readFile: (path: string) => string | undefined): void {
  const setting = chosen.get('password_file');
  if (setting === undefined || typeof setting.value !== 'string') return;
  const createError = (expected: string): ConfigError =>
    new ConfigError({ field: 'password_file', value: String(setting.value), expected, origin: setting.origin });
  let text: string | undefined;
  try {
    text = readFile(setting.value);
  } catch (error) {
    throw createError(`cannot be read: ${describeError(error)}`);
  }
  if (text === undefined) throw createError('must be an existing file');
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw createError('must not be empty');
  chosen.set('password', { key: 'password', value: password, origin: `password_file (${setting.origin})` });
}

function deriveSlots(chosen: Chosen): void {
  const cpus = chosen.get('cpus');
  if (chosen.get('slots')?.origin !== 'default' || cpus === undefined || cpus.origin === 'default') return;
  if (typeof cpus.value !== 'number' || !(cpus.value > 0)) return;
  chosen.set('slots', {
    key: 'slots',
    value: countDefaultSlots(cpus.value),
    origin: `default (cpus from ${cpus.origin})`,
  });
}

/** The user name at the broker is the node's id, which lets one pattern in the broker's ACL cover all nodes. */
function deriveUsername(chosen: Chosen): void {
  const id = chosen.get('id');
  if (id === undefined || chosen.has('username') || !chosen.has('password')) return;
  chosen.set('username', { key: 'username', value: id.value, origin: 'default (id)' });
}
