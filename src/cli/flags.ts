/**
 * The flags that commands share, and how the text of a flag becomes a value. What is a key of the configuration stays text
 * here: the configuration checks it, once and for all sources.
 */
import type { Command } from 'commander';
import { BadInput } from './failure.js';

/** Flags that every command takes; all but `--json` and `--config` are keys of the configuration. */
const SHARED: readonly (readonly [flag: string, text: string])[] = [
  ['--broker <url>', 'the broker, mqtt:// mqtts:// ws:// or wss://'],
  ['--id <node>', 'the node to speak for (default: from the host name)'],
  ['--base <topic>', 'base topic of the mesh'],
  ['--state-dir <dir>', 'directory of this node: key, journal, items'],
  ['--username <name>', 'user name at the broker'],
  ['--password-file <file>', 'file that holds the password'],
  ['--ca-file <file>', 'PEM file of the authority of a TLS broker'],
  ['--config <file>', 'configuration file'],
  ['--json', 'print JSON'],
];

/** Names of the shared flags that go to the configuration. */
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

/** Adds a flag for every key of the configuration that the command has none for yet; the help shows only the others. */
export async function addConfigFlags(command: Command): Promise<void> {
  const { Option } = await import('commander');
  const { CONFIG_KEYS } = await import('../config/keys.js');
  for (const { flag, kind } of CONFIG_KEYS) {
    if (command.options.some((one) => one.long === `--${flag}`)) continue;
    command.addOption(new Option(`--${flag} ${kind === 'flag' ? '[value]' : '<value>'}`).hideHelp());
  }
}

/** The flags of a command that are keys of the configuration: the shared ones or, with `all`, every key. */
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

/** Gathers a flag that may be given several times. */
export function gather(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** A number above zero. */
export function readPositive(field: string, text: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value > 0) return value;
  throw new BadInput(field, text, 'must be a number above 0');
}

/** A whole number in a range. */
export function readWhole(field: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new BadInput(field, text, `must be a whole number from ${min} to ${max}`);
}

const SIZES: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** Bytes from `512M`, `2g`, `1.5GiB` or a bare number of bytes. */
export function readSize(field: string, text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  const factor = SIZES[unit.toLowerCase()];
  if (number !== '' && factor !== undefined) return Math.round(Number(number) * factor);
  throw new BadInput(field, text, 'must be a size such as 512M or 2G');
}

const DURATIONS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds from `500ms`, `90s`, `5m`, `2h`, `1d` or a bare number of seconds. */
export function readDuration(field: string, text: string): number {
  const [, number = '', unit = 's'] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text) ?? [];
  const ms = Math.round(Number(number) * (DURATIONS[unit] ?? Number.NaN));
  if (number !== '' && ms > 0) return ms;
  throw new BadInput(field, text, 'must be a duration such as 90s, 5m or 2h');
}
