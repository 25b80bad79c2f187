/**
 * A setting: one key with its value and its origin. Here text is parsed into the kind of value of its key, and relative
 * paths become absolute; whether the value is valid is decided by the schema.
 */
import { resolve } from 'node:path';
import { ConfigError } from './config-error.js';
import type { ConfigKey } from './keys.js';
import { findNearestName } from './nearest-name.js';

/** The value of one key from one source. */
export interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
}

/** Directories that relative paths and `~` of a source are resolved against. */
export interface PathRoots {
  readonly directory: string;
  readonly home: string;
}

const PATH_KEYS: ReadonlySet<string> = new Set(['state_dir', 'password_file', 'ca_file', 'criu']);
const TRUE_WORDS: ReadonlySet<string> = new Set(['true', 'on', 'yes', '1']);
const FALSE_WORDS: ReadonlySet<string> = new Set(['false', 'off', 'no', '0']);

/** Creates a setting from what a source has: a value, or text to be parsed into one. */
export function createSetting({ key, kind }: ConfigKey, raw: unknown, origin: string, roots: PathRoots): Setting {
  const value = kind === 'list' ? readList(raw) : readText(kind, raw);
  return { key, value: PATH_KEYS.has(key) ? readPath(value, roots) : value, origin };
}

/** The error for a name that is not a key; `known` are the valid names of the same kind. */
export function describeUnknownName(name: string, origin: string, known: Iterable<string>): ConfigError {
  const nearest = findNearestName(name, known);
  const expected =
    nearest === undefined ? 'is not known; `tritmesh config` lists all keys' : `is not known; did you mean ${nearest}?`;
  return new ConfigError({ field: name, value: '', expected, origin });
}

function readList(raw: unknown): unknown {
  const parts = Array.isArray(raw) ? (raw as readonly unknown[]) : [raw];
  return parts.flatMap((part) =>
    typeof part === 'string'
      ? part
          .split(',')
          .map((word) => word.trim())
          .filter((word) => word !== '')
      : [part],
  );
}

function readText(kind: ConfigKey['kind'], raw: unknown): unknown {
  if (typeof raw !== 'string') return raw;
  if (kind === 'number') return /^\s*[-+]?(\d|\.\d)/.test(raw) && !Number.isNaN(Number(raw)) ? Number(raw) : raw;
  if (kind !== 'flag') return raw;
  const word = raw.trim().toLowerCase();
  if (TRUE_WORDS.has(word)) return true;
  return FALSE_WORDS.has(word) ? false : raw;
}

function readPath(value: unknown, { directory, home }: PathRoots): unknown {
  if (typeof value !== 'string' || value === '') return value;
  if (value === '~' || value.startsWith('~/')) return resolve(home, `.${value.slice(1)}`);
  return resolve(directory, value);
}
