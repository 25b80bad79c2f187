/** How a command is defined: its usage, the shared flags, and what it does with the configuration in force. */
import type { Command } from 'commander';
import type { Context, ContextChoice } from './context.js';
import { addConfigFlags, addSharedFlags } from './flags.js';

/** Takes the exit code of the command that ran. */
export type Finish = (code: number) => void;

/** Does what a command is for; gives its exit code. `flags` are as commander read them. */
export type Perform = (
  context: Context,
  operands: readonly string[],
  flags: Readonly<Record<string, unknown>>,
) => Promise<number>;

/** What a command is beside its name. */
export interface CommandFacts extends ContextChoice {
  /** As commander has it: `scum [node]`. */
  readonly usage: string;
  readonly description: string;
  /** Shared flags that it does not take, as they begin. */
  readonly without?: readonly string[];
  /** The key of the configuration that its first operand gives. */
  readonly operand?: string;
}

/** Adds a command; more flags can be added to what it gives. */
export function defineCommand(parent: Command, facts: CommandFacts, finish: Finish, perform: Perform): Command {
  const command = parent.command(facts.usage).description(facts.description);
  addSharedFlags(command, facts.without);
  if (facts.all === true) {
    parent.hook('preSubcommand', async (_parent, sub) => {
      if (sub === command) await addConfigFlags(command);
    });
  }
  return command.action(async () => {
    const { openContext } = await import('./context.js');
    const context = await openContext(command, facts, nameOperand(facts.operand, command.args[0]));
    finish(await perform(context, command.args, command.opts()));
  });
}

function nameOperand(key: string | undefined, value: string | undefined): Readonly<Record<string, unknown>> {
  return key === undefined ? {} : { [key]: value };
}
