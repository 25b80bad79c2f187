/**
 * What every command has at hand: the configuration in force, and the way to say things. Commands take it as their first
 * argument and touch neither the process nor the environment themselves.
 */
import type { Command } from 'commander';
import type { Config } from '../config/config.js';
import { loadConfig, type LoadedConfig } from '../config/load-config.js';
import { pickConfigFlags } from './flags.js';

/** A command's surroundings. */
export interface Context {
  readonly config: Config;
  /** Where each key of the configuration came from. */
  readonly origins: Readonly<Record<string, string>>;
  /** Whose the state directory says that it is. */
  readonly record: LoadedConfig['record'];
  readonly json: boolean;
  /** Characters of a line; without end when no terminal reads. */
  readonly width: number;
  /** A person sits at stderr. */
  readonly isTerminal: boolean;
  /** Writes to stdout as it is. */
  readonly print: (text: string) => void;
  /** Says a line on stderr, `tritmesh: ` before it. */
  readonly say: (text: string) => void;
}

/** Which flags of a command go to the configuration. */
export interface ContextChoice {
  /** Every key, not only those that all commands share. */
  readonly all?: boolean;
  /** A flag that means something else to this command. */
  readonly except?: string;
}

/** Loads the configuration for a command; `operands` are keys that it takes without a flag. */
export async function openContext(
  command: Command,
  { all = false, except = '' }: ContextChoice,
  operands: Readonly<Record<string, unknown>> = {},
): Promise<Context> {
  const { [except]: _own, ...flags } = command.opts<Record<string, unknown>>();
  const { config, origins, record } = await loadConfig({
    flags: await pickConfigFlags({ ...flags, ...operands }, all),
  });
  return {
    config,
    origins,
    record,
    json: flags['json'] === true,
    width: process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY,
    isTerminal: process.stderr.isTTY,
    print: (text) => void process.stdout.write(text),
    say: sayLine,
  };
}

/** Says a line on stderr. */
export function sayLine(text: string): void {
  process.stderr.write(`tritmesh: ${text}\n`);
}

/** Prints a value as JSON: maps as objects, one document. */
export function printJson(context: Context, value: unknown): void {
  context.print(`${JSON.stringify(value, replaceMap, 2)}\n`);
}

function replaceMap(_key: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value as Map<string, unknown>) : value;
}
