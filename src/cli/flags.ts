/**
 * The flags that commands share. Those that are configuration keys stay text here: the configuration validates them, in
 * one place for all sources.
 */
import { Option, type Command } from 'commander';

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
