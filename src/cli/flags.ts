/**
 * The flags that commands share, and the parsing of flag values. Flags that are configuration keys stay text here: the
 * configuration validates them, in one place for all sources.
 */
import type { Command } from 'commander';
import { BadInput } from './failure.js';

/** Flags of every command; all but `--json` and `--config` are configuration keys. */
const SHARED: readonly (readonly [flag: string, text: string])[] = [
  ['--broker <url>', 'URL of the broker: mqtt://, mqtts://, ws:// or wss:// (default: mqtt://127.0.0.1:1883)'],
  ['--id <node>', 'id of the node to act for (default: that of the state directory, else derived from the host name)'],
  ['--base <topic>', 'base topic of the mesh (default: tritmesh)'],
  [
    '--state-dir <dir>',
    'directory of the node: key, journal, items (default: ~/.local/state/tritmesh, as root /var/lib/tritmesh)',
  ],
  ['--username <name>', 'user name for the broker (default: the id, if there is a password)'],
  ['--password-file <file>', 'file that holds the password for the broker'],
  ['--ca-file <file>', 'PEM file of the CA that signed the certificate of the broker'],
  ['--config <file>', 'configuration file (default: ~/.config/tritmesh/config.yaml)'],
  ['--json', 'print JSON'],
];

/** Help texts that several commands share. */
export const SENSE_TEXT =
  'how the load is measured: ewma, loadavg1, cgroup, tree:PID, command:CMD or fixed:N (default: ewma)';
export const ITEM_TEXT = 'id of the item; OWNER/ITEM for an item of another node';

/** Names of the shared flags that are passed to the configuration. */
const SHARED_KEYS: readonly string[] = [
  'broker',
  'id',
  'base',
  'stateDir',
  'username',
  'passwordFile',
  'caFile',
  'config',
];

/** Adds the shared flags to a command. */
export function addSharedFlags(command: Command, except: readonly string[] = []): Command {
  for (const [flag, text] of SHARED) {
    if (!except.some((one) => flag.startsWith(one))) command.option(flag, text);
  }
  return command;
}

/** Adds a hidden flag for every configuration key that the command has no flag for yet. */
export async function addConfigFlags(command: Command): Promise<void> {
  const { Option } = await import('commander');
  const { CONFIG_KEYS } = await import('../config/keys.js');
  for (const { flag, kind } of CONFIG_KEYS) {
    if (command.options.some((one) => one.long === `--${flag}`)) continue;
    command.addOption(new Option(`--${flag} ${kind === 'flag' ? '[value]' : '<value>'}`).hideHelp());
  }
}

/** The flags of a command that are configuration keys: the shared ones or, with `all`, every key. */
export async function pickConfigFlags(
  flags: Readonly<Record<string, unknown>>,
  all: boolean,
): Promise<Readonly<Record<string, unknown>>> {
  if (!all) return Object.fromEntries(SHARED_KEYS.map((name) => [name, flags[name]]));
  const { findKeyOfFlag } = await import('../config/keys.js');
  const { label, ...others } = flags;
  const known = Object.entries(others).filter(([name]) => name === 'config' || findKeyOfFlag(name) !== undefined);
  return { ...Object.fromEntries(known), ...(label === undefined ? {} : { labels: label }) };
}

/** Collects the values of a flag that may be given several times. */
export function collectValues(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** Reads a number above zero. Throws {@link BadInput}. */
export function readPositive(field: string, text: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value > 0) return value;
  throw new BadInput(field, text, 'must be a number above 0');
}

/** Reads a whole number from `min` to `max`. Throws {@link BadInput}. */
export function readWhole(field: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new BadInput(field, text, `must be a whole number from ${min} to ${max}`);
}

const SIZES: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** Reads bytes from `512M`, `2g`, `1.5GiB` or a bare number of bytes. Throws {@link BadInput}. */
export function readSize(field: string, text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  const factor = SIZES[unit.toLowerCase()];
  if (number !== '' && factor !== undefined) return Math.round(Number(number) * factor);
  throw new BadInput(field, text, 'must be a size such as 512M or 2G');
}

const DURATIONS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads ms from `500ms`, `90s`, `5m`, `2h`, `1d` or a bare number of seconds. Throws {@link BadInput}. */
export function readDuration(field: string, text: string): number {
  const [, number = '', unit = 's'] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text) ?? [];
  const ms = Math.round(Number(number) * (DURATIONS[unit] ?? Number.NaN));
  if (number !== '' && ms > 0) return ms;
  throw new BadInput(field, text, 'must be a duration such as 90s, 5m or 2h');
}

/** Reads a whole number of at least `min`. Throws {@link BadInput}. */
export function readCount(flag: string, value: unknown, min: number): number {
  const count = Number(value);
  if (Number.isSafeInteger(count) && count >= min) return count;
  throw new BadInput(flag, String(value), `must be a whole number, ${min} or more`);
}
