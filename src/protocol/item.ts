/**
 * The item: one piece of work as its owner describes it, and the part of it that a receiver needs. Both travel, so both
 * have schemas. The limits on what an item may ask for are defined here.
 */
import { z } from 'zod';
import { ARGV_MAX, ATTEMPTS_MAX, COMMAND_BYTES_MAX, COUNTER_MAX, CPUS_MAX, PATHS_MAX } from './limits.js';
import { ATTEMPTS_DEFAULT, ITEM_NAME_CHARS_MAX } from './item-name.js';
import { ITEM_ID_PATTERN, NODE_ID_PATTERN } from './topics.js';

const WALL_MS_MAX = 30 * 24 * 60 * 60 * 1000;

/** What a receiver must have. */
export interface Need {
  /** Cores that the item uses; rounded up, the number of slots that it takes. */
  readonly cpus: number;
  /** Memory that its receiver must have free. */
  readonly memory_bytes?: number | undefined;
  /** Disk space that its receiver needs for what it fetches. */
  readonly disk_bytes?: number | undefined;
  /** As `process.arch` names it: x64, arm64 … */
  readonly arch?: string | undefined;
  /** As `process.platform` names it: linux, darwin … */
  readonly os?: string | undefined;
  /** Labels that its receiver must have, all of them. */
  readonly labels: readonly string[];
  /** Abilities that its receiver must have, all of them. */
  readonly abilities: readonly string[];
  /** The only node that may take it. */
  readonly on?: string | undefined;
}

/** What the receiver runs: program and arguments, without a shell. */
export interface Command {
  /** The program and its arguments, 1 to 4096 in all. */
  readonly argv: readonly string[];
  /** Environment variables, by name; together with `argv` at most 32 KiB. */
  readonly env: Readonly<Record<string, string>>;
  /** File inside the item's directory that becomes stdin; without it stdin is empty. */
  readonly stdin?: string | undefined;
  /** Globs of the files that are returned to the owner, relative to the item's directory. */
  readonly outputs: readonly string[];
  /** Wall-clock limit, ms, at most 30 days: the item is stopped when it has run this long. */
  readonly wall_ms?: number | undefined;
  /**
   * How it may be moved once it runs. `restart`: stopped, carried with its directory and started again; `cooperative`:
   * the same, after SIGUSR1 has asked it to save and exit; `checkpoint`: its running process moves (CRIU).
   */
  readonly migrate: 'never' | 'restart' | 'cooperative' | 'checkpoint';
}

/** A process that tritmesh did not start and that became an item in order to be moved. */
export interface ExternalProcess {
  readonly pid: number;
  /** Start time as the system counts it; tells the process from a later one with the same pid. */
  readonly start: string;
}

/** One piece of work, as its owner stores it. */
export interface Item {
  /** Its id, `[a-z0-9-]{1,32}`; by default a new one that sorts by time. */
  readonly id: string;
  /** Short name for display, 1 to 64 characters; by default the program. */
  readonly name: string;
  /** What to run. */
  readonly command: Command;
  /** What a receiver must have; by default one cpu. */
  readonly need: Need;
  /** Absolute paths on the owner's machine; each is placed under its base name in the item's directory. */
  readonly inputs: readonly string[];
  /** Directory on the owner's machine for the outputs; without it they stay in the item's own directory. */
  readonly destination?: string | undefined;
  /** Where it may run: `here` only at its owner, `away` anywhere but there. */
  readonly place: 'any' | 'here' | 'away';
  /** After a lost lease, `rerun` starts it again; `once` leaves that decision to a person. */
  readonly retry: 'rerun' | 'once';
  /** How many times it may be started in total, 1 to 100. */
  readonly attempts: number;
  /** It waits until the mesh sum is negative. */
  readonly deferred: boolean;
  /** When its owner took it on, ISO 8601 UTC, for display: the owner sets it. */
  readonly submitted_at: string;
  /** Set for a process that already runs on its owner: there is no command to start. */
  readonly process?: ExternalProcess | undefined;
}

/** A path inside an item's directory: relative, without `..`, backslash or NUL. */
const innerPath = z.string().min(1).max(1024).refine(isInnerPath, 'must be a relative path that stays inside');

/** Schema of {@link Need}. */
export const needSchema: z.ZodType<Need> = z.object({
  cpus: z.number().gt(0).max(CPUS_MAX).default(1),
  memory_bytes: z.number().min(0).max(COUNTER_MAX).optional(),
  disk_bytes: z.number().min(0).max(COUNTER_MAX).optional(),
  arch: z.string().max(32).optional(),
  os: z.string().max(32).optional(),
  labels: z.array(z.string().max(64)).max(64).default([]),
  abilities: z.array(z.string().max(64)).max(32).default([]),
  on: z.string().regex(NODE_ID_PATTERN).optional(),
});

/** Schema of {@link Command}. */
export const commandSchema: z.ZodType<Command> = z
  .object({
    argv: z.array(z.string()).min(1).max(ARGV_MAX),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a variable name'), z.string()).default({}),
    stdin: innerPath.optional(),
    outputs: z.array(innerPath).max(PATHS_MAX).default([]),
    wall_ms: z.int().min(1).max(WALL_MS_MAX).optional(),
    migrate: z.enum(['never', 'restart', 'cooperative', 'checkpoint']).default('never'),
  })
  .refine((command) => measureCommand(command) <= COMMAND_BYTES_MAX, {
    message: `argv and env together must stay within ${COMMAND_BYTES_MAX} bytes`,
  })
  .refine((command) => !command.argv.concat(Object.values(command.env)).some((text) => text.includes('\0')), {
    message: 'argv and env must not contain a NUL character',
  });

/** An item as requests and journals hold it: its id is in the field `item`. */
export interface WrittenItem extends Omit<Item, 'id'> {
  readonly item: string;
}

/** The form for requests and journals. */
export function writeItem({ id, ...rest }: Item): WrittenItem {
  return { item: id, ...rest };
}

/** The item of a journal; what comes from outside is read by {@link itemSchema}. */
export function readItem({ item, ...rest }: WrittenItem): Item {
  return { id: item, ...rest };
}

const writtenItemSchema: z.ZodType<WrittenItem> = z.object({
  item: z.string().regex(ITEM_ID_PATTERN, 'must match [a-z0-9-]{1,32}'),
  name: z.string().min(1).max(ITEM_NAME_CHARS_MAX),
  command: commandSchema,
  need: needSchema.default({ cpus: 1, labels: [], abilities: [] }),
  inputs: z.array(z.string().min(1).max(4096)).max(PATHS_MAX).default([]),
  destination: z.string().min(1).max(4096).optional(),
  place: z.enum(['any', 'here', 'away']).default('any'),
  retry: z.enum(['rerun', 'once']).default('rerun'),
  attempts: z.int().min(1).max(ATTEMPTS_MAX).default(ATTEMPTS_DEFAULT),
  deferred: z.boolean().default(false),
  submitted_at: z.string().max(40).default(''),
  process: z.object({ pid: z.int().min(1), start: z.string().max(64) }).optional(),
});

/** Reads a {@link WrittenItem}; fields with a default may be missing. */
export const itemSchema: z.ZodType<Item> = writtenItemSchema.transform(readItem);

/** The number of slots that an item takes: its cpus, rounded up, at least one. */
export function countSlots(need: Need): number {
  return Math.max(1, Math.ceil(need.cpus));
}

/** Size of a command's arguments and environment, bytes of UTF-8. */
export function measureCommand(command: Pick<Command, 'argv' | 'env'>): number {
  let bytes = 0;
  for (const text of command.argv) bytes += utf8Length(text);
  for (const [name, text] of Object.entries(command.env)) bytes += utf8Length(name) + utf8Length(text);
  return bytes;
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

/** Whether a path is relative and normalized, so that it cannot leave the directory that it is resolved in. */
export function isInnerPath(path: string): boolean {
  if (path.startsWith('/') || path.includes('\\') || path.includes('\0')) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
