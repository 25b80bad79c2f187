/**
 * The context that every command receives as its first argument: the configuration in force and the output functions.
 * Commands read neither the flags of the process nor its environment themselves.
 */
import type { Command } from 'commander';
import type { Config } from '../config/config.js';
import { loadConfig, type LoadedConfig } from '../config/load-config.js';
import { pickConfigFlags } from './flags.js';

/** The context of a command. */
export interface Context {
  readonly config: Config;
  /** Where the value of each configuration key came from. */
  readonly origins: Readonly<Record<string, string>>;
  /** The identity recorded in the state directory; `undefined` when there is none. */
  readonly record: LoadedConfig['record'];
  readonly json: boolean;
  /** Line width in characters; infinite when stdout is not a terminal. */
  readonly width: number;
  /** Whether stderr is a terminal. */
  readonly isTerminal: boolean;
  /** Writes text to stdout, unchanged. */
  readonly print: (text: string) => void;
  /** Writes a line to stderr, prefixed with `tritmesh: `. */
  readonly report: (text: string) => void;
}

/** Which flags of a command are passed to the configuration. */
export interface ContextChoice {
  /** All keys, not only those that all commands share. */
  readonly all?: boolean;
  /** A flag with another meaning in this command. */
  readonly except?: string;
}

/** Loads the configuration for a command; `operands` are keys that it takes as operands. Rejects with ConfigError. */
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
    report: printLine,
  };
}

/** Prints a line to stderr. */
export function printLine(text: string): void {
  process.stderr.write(`tritmesh: ${text}\n`);
}

/** Prints a value as one JSON document; maps become objects. */
export function printJson(context: Context, value: unknown): void {
  context.print(`${JSON.stringify(value, replaceMap, 2)}\n`);
}

function replaceMap(_key: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value as Map<string, unknown>) : value;
}
