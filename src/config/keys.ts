/**
 * The names of the keys: in yaml (`trit.plus_above`), as flags (`--trit-plus-above`) and as variables
 * (`TRITMESH_TRIT_PLUS_ABOVE`), and which kind of value the text of each is parsed into. It knows no values.
 */
import { createDefaults } from './defaults.js';

/** What the text of a key is parsed into. */
type Kind = 'text' | 'number' | 'flag' | 'list';

/** One key. */
export interface ConfigKey {
  /** Dotted, as in `origins`. */
  readonly key: string;
  /** Without the dashes in front. */
  readonly flag: string;
  readonly variable: string;
  readonly kind: Kind;
}

/** Keys without a default; the value of each is text. */
const OPTIONAL_KEYS = ['username', 'password', 'password_file', 'ca_file', 'criu'];

/** Groups that may be given as one value: `sense: cgroup`, `--sense cgroup`. */
const SHORT_KEYS: ReadonlyMap<string, string> = new Map([['sense', 'sense.metric']]);

/** All keys, in the order of the defaults. */
export const CONFIG_KEYS: readonly ConfigKey[] = listKeys();

const byKey: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map((one) => [one.key, one]));
const byFlag: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map((one) => [one.flag, one]));
const byVariable: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map((one) => [one.variable, one]));

/** Finds a key by its dotted name; a group that may be given as one value finds that value's key. */
export function findKey(name: string): ConfigKey | undefined {
  return byKey.get(SHORT_KEYS.get(name) ?? name);
}

/** Finds a key by its flag, in kebab-case or as commander passes it (`stateDir`). */
export function findKeyOfFlag(name: string): ConfigKey | undefined {
  const flag = formatFlag(name);
  return byFlag.get(flag) ?? findShortKey(flag);
}

/** A flag's name in kebab-case: `stateDir` is `state-dir`. */
export function formatFlag(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Finds a key by its variable, including the prefix `TRITMESH_`. */
export function findKeyOfVariable(name: string): ConfigKey | undefined {
  return byVariable.get(name) ?? findShortKey(name.replace(/^TRITMESH_/, '').toLowerCase());
}

function findShortKey(name: string): ConfigKey | undefined {
  return SHORT_KEYS.has(name) ? findKey(name) : undefined;
}

/** Whether a dotted name is a group of keys. */
export function isGroup(name: string): boolean {
  return CONFIG_KEYS.some(({ key }) => key.startsWith(`${name}.`));
}

function listKeys(): readonly ConfigKey[] {
  // Only names and kinds are read from these defaults, so any machine will do.
  const defaults = createDefaults({ hostname: 'any', cpus: 1, isRoot: false, home: '/' }, {});
  return [...listLeaves(defaults, ''), ...OPTIONAL_KEYS.map((key) => describeKey(key, ''))];
}

function listLeaves(group: object, prefix: string): readonly ConfigKey[] {
  return Object.entries(group).flatMap(([name, value]: [string, unknown]) => {
    const isLeaf = typeof value !== 'object' || value === null || Array.isArray(value);
    return isLeaf ? [describeKey(prefix + name, value)] : listLeaves(value, `${prefix}${name}.`);
  });
}

function describeKey(key: string, example: unknown): ConfigKey {
  const word = key.replaceAll('.', '_');
  return {
    key,
    flag: word.replaceAll('_', '-'),
    variable: `TRITMESH_${word.toUpperCase()}`,
    kind: Array.isArray(example) ? 'list' : findKind(typeof example),
  };
}

function findKind(type: string): Kind {
  if (type === 'number') return 'number';
  return type === 'boolean' ? 'flag' : 'text';
}
