/** Defines a command: its usage, the shared flags, and the action, which runs with the configuration in force. */
import type { Command } from 'commander';
import type { Context, ContextChoice } from './context.js';
import { addConfigFlags, addSharedFlags } from './flags.js';

/** Receives the exit code of the command that ran. */
export type Finish = (code: number) => void;

/** The action of a command; resolves with its exit code. `flags` are as commander parsed them. */
export type CommandAction = (
  context: Context,
  operands: readonly string[],
  flags: Readonly<Record<string, unknown>>,
) => Promise<number>;

/** The definition of a command. */
export interface CommandSpec extends ContextChoice {
  /** In commander's notation: `scum [node]`. */
  readonly usage: string;
  readonly description: string;
  /** Prefixes of the shared flags that it does not take. */
  readonly without?: readonly string[];
  /** The configuration key that its first operand sets. */
  readonly operand?: string;
}

/** Adds a command and returns it; the caller may add more flags. */
export function defineCommand(parent: Command, spec: CommandSpec, finish: Finish, action: CommandAction): Command {
  const command = parent.command(spec.usage).description(spec.description);
  addSharedFlags(command, spec.without);
  if (spec.all === true) {
    parent.hook('preSubcommand', async (_parent, sub) => {
      if (sub === command) await addConfigFlags(command);
    });
  }
  return command.action(async () => {
    const { openContext } = await import('./context.js');
    const context = await openContext(command, spec, toConfigFlag(spec.operand, command.args[0]));
    finish(await action(context, command.args, command.opts()));
  });
}

function toConfigFlag(key: string | undefined, value: string | undefined): Readonly<Record<string, unknown>> {
  return key === undefined ? {} : { [key]: value };
}
