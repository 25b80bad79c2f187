/**
 * The command line as a whole: the commands and their exit codes. A command's modules are loaded when it runs, which
 * keeps the start of the program fast.
 */
import { Command, CommanderError } from 'commander';
import { readVersion } from '../compose/machine-info.js';
import type { Finish } from './define-command.js';
import { describeCommandFailure, EXIT } from './failure.js';
import { addNodeCommands } from './node-commands.js';
import { addViewCommands } from './view-commands.js';
import type { Handover } from './thin/handover.js';
import { addWorkCommands } from './work-commands.js';

/**
 * Runs the program; resolves with its exit code and never rejects. `handover` is what the thin path has done of the
 * command line.
 */
export async function runProgram(argv: readonly string[], handover?: Handover): Promise<number> {
  let code: number = EXIT.done;
  const program = createProgram(await readVersion(), (given) => void (code = given), handover);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    return reportFailure(error);
  }
}

/** Creates the program with all its commands; each passes its exit code to `finish`. */
export function createProgram(version: string, finish: Finish, handover?: Handover): Command {
  const program = new Command('tritmesh')
    .description('Machines in a home lab share load over MQTT: the mesh you can read with mosquitto_sub.')
    .version(version)
    .enablePositionalOptions()
    .showHelpAfterError('(tritmesh --help lists the commands, tritmesh COMMAND --help its flags)')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`tritmesh: ${text.replace(/^error: /, '')}`) });
  addNodeCommands(program, finish);
  addWorkCommands(program, finish, handover);
  addViewCommands(program, finish);
  return program;
}

function reportFailure(error: unknown): number {
  // Commander has printed the message already; help and version are not failures.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.badInput;
  const { text, code } = describeCommandFailure(error);
  process.stderr.write(`tritmesh: ${text}\n`);
  return code;
}
