/**
 * Drafts an item from the command line of `tritmesh run` or `tritmesh defer`, and rejects what could not work: paths
 * that do not exist, flags that exclude each other. Whether each field is valid is for the schema to say.
 */
import { existsSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { formatItemId, ITEM_ID_ENDS, ITEM_NAME_CHARS_MAX, nameAfter } from '../../protocol/item-name.js';
import { ATTEMPTS_MAX } from '../../protocol/limits.js';
import { BadInput } from '../failure.js';
import { readDuration, readPositive, readSize, readWhole } from '../flag-values.js';

/** The flags of `run` and `defer`, as typed. */
export interface ItemFlags {
  readonly in?: readonly string[];
  readonly out?: readonly string[];
  readonly on?: string;
  readonly here?: boolean;
  readonly away?: boolean;
  readonly cpus?: string;
  readonly memory?: string;
  readonly arch?: string;
  readonly os?: string;
  readonly label?: readonly string[];
  readonly env?: readonly string[];
  readonly stdin?: string;
  readonly wall?: string;
  readonly retry?: string;
  readonly attempts?: string;
  readonly migrate?: string;
  readonly name?: string;
}

/** Where, when and with which defaults the command was typed. */
export interface ItemContext {
  readonly directory: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How many times an item may be started if `--attempts` is not given. */
  readonly attempts: number;
  readonly deferred: boolean;
}

/** An item as requests hold it, not checked yet. */
export interface ItemDraft {
  readonly item: string;
  readonly [field: string]: unknown;
}

/** Drafts the item. Throws {@link BadInput}. */
export function draftItem(argv: readonly string[], flags: ItemFlags, context: ItemContext): ItemDraft {
  refuseContradictions(flags);
  const stdin = flags.stdin === undefined ? undefined : findFile(context.directory, flags.stdin);
  const inputs = findInputs(context.directory, flags.in ?? [], stdin);
  return {
    item: formatItemId(context.now, Math.floor(Math.random() * ITEM_ID_ENDS)),
    name: (flags.name ?? nameAfter(argv)).slice(0, ITEM_NAME_CHARS_MAX),
    command: {
      argv,
      env: readEnvironment(flags.env ?? [], context.variables),
      ...(stdin === undefined ? {} : { stdin: basename(stdin) }),
      outputs: (flags.out ?? []).map((glob) => glob.replace(/^(\.\/)+/, '')),
      ...(flags.wall === undefined ? {} : { wall_ms: readDuration('--wall', flags.wall) }),
      ...(flags.migrate === undefined ? {} : { migrate: flags.migrate }),
    },
    need: readNeed(flags),
    inputs,
    destination: context.directory,
    place: flags.here === true ? 'here' : flags.away === true ? 'away' : 'any',
    ...(flags.retry === undefined ? {} : { retry: flags.retry }),
    attempts:
      flags.attempts === undefined ? context.attempts : readWhole('--attempts', flags.attempts, 1, ATTEMPTS_MAX),
    deferred: context.deferred,
    submitted_at: new Date(context.now).toISOString(),
  };
}

function refuseContradictions({ here, away, on }: ItemFlags): void {
  if (here === true && away === true) throw new BadInput('--here', '', 'cannot be given together with --away');
  if (here === true && on !== undefined) throw new BadInput('--here', '', 'cannot be given together with --on');
}

function readNeed(flags: ItemFlags): object {
  return {
    cpus: flags.cpus === undefined ? 1 : readPositive('--cpus', flags.cpus),
    ...(flags.memory === undefined ? {} : { memory_bytes: readSize('--memory', flags.memory) }),
    ...(flags.arch === undefined ? {} : { arch: flags.arch }),
    ...(flags.os === undefined ? {} : { os: flags.os }),
    labels: flags.label ?? [],
    // A job that may be checkpointed has to start on a node that can do it.
    abilities: flags.migrate === 'checkpoint' ? ['criu'] : [],
    ...(flags.on === undefined ? {} : { on: flags.on }),
  };
}

/** All paths, absolute; each is placed under its base name, which must be unique. */
function findInputs(directory: string, paths: readonly string[], stdin: string | undefined): readonly string[] {
  const byName = new Map<string, string>();
  const found = paths.map((path) => findPath('--in', directory, path));
  for (const path of stdin === undefined ? found : [...found, stdin]) {
    const name = basename(path);
    const other = byName.get(name);
    if (name === '') throw new BadInput('--in', path, 'must be a path with a base name');
    if (other !== undefined && other !== path) {
      throw new BadInput('--in', path, `has the same name as ${other}: both would become ${name}`);
    }
    byName.set(name, path);
  }
  return [...byName.values()];
}

function findFile(directory: string, path: string): string {
  const absolute = findPath('--stdin', directory, path);
  if (statSync(absolute).isFile()) return absolute;
  throw new BadInput('--stdin', path, 'must be a file');
}

function findPath(field: string, directory: string, path: string): string {
  const absolute = resolve(directory, path);
  if (existsSync(absolute)) return absolute;
  throw new BadInput(field, path, 'must be an existing file or directory');
}

function readEnvironment(
  pairs: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      const value = variables[pair];
      if (at === -1 && value !== undefined) return [pair, value];
      throw new BadInput('--env', pair, 'must be NAME=VALUE, or the NAME of a variable that is set here');
    }),
  );
}
