/** Defines the commands that submit work, steer it, or change the node of this machine. */
import type { Command } from 'commander';
import { defineCommand, type Finish } from './define-command.js';
import { collectValues, ITEM_TEXT } from './flags.js';
import type { Handover } from './thin/handover.js';

/**
 * Adds `run`, `defer`, the commands for one item, and those that steer a node to the program. `handover` is what the
 * thin path has done of the command line.
 */
export function addWorkCommands(program: Command, finish: Finish, handover?: Handover): void {
  const addRun = (kind: 'run' | 'defer', description: string): void => {
    const command = { usage: kind, description };
    addRunFlags(
      defineCommand(program, command, finish, async (context, operands, flags) =>
        (await import('./commands/run.js')).runItem(context, operands, flags, kind, handover),
      ),
      kind,
    );
  };
  addRun('run', 'run a command on an idle node; its output and exit code come back');
  addRun('defer', 'run a command once the mesh is idle (its sum is below 0); return at once');
  addItemCommands(program, finish);
  addNodeSteering(program, finish);
}

function addItemCommands(program: Command, finish: Finish): void {
  defineCommand(
    program,
    { usage: 'cancel', description: 'cancel an item, wherever it is' },
    finish,
    async (context, [item = '']) => (await import('./commands/cancel.js')).runCancel(context, item),
  ).argument('<item>', ITEM_TEXT);
  defineCommand(
    program,
    { usage: 'retry', description: 'start a lost item again' },
    finish,
    async (context, [item = '']) => (await import('./commands/retry.js')).runRetry(context, item),
  ).argument('<item>', ITEM_TEXT);
  defineCommand(
    program,
    { usage: 'fetch', description: 'fetch the outputs of an item that could not be reached when it ended' },
    finish,
    async (context, [item = '']) => (await import('./commands/fetch.js')).fetchItem(context, item),
  ).argument('<item>', ITEM_TEXT);
  defineCommand(
    program,
    { usage: 'migrate', description: 'move an item or a process off a node' },
    finish,
    async (context, [what = ''], flags) =>
      (await import('./commands/migrate.js')).migrateWork(context, what, flags['to'] as string | undefined),
  )
    .argument(
      '<what>',
      'an ITEM, the PID of any process on the node, or top: the heaviest item that may move, else the oldest that waits',
    )
    .option('--to <node>', 'node that is to receive it (default: the best receiver)');
}

function addNodeSteering(program: Command, finish: Finish): void {
  defineCommand(
    program,
    { usage: 'drain', description: 'stop accepting work on a node and let its guests leave' },
    finish,
    async (context) => (await import('./commands/drain.js')).drainNode(context, 'ON'),
  );
  defineCommand(
    program,
    { usage: 'resume', description: 'accept work again on a drained node' },
    finish,
    async (context) => (await import('./commands/drain.js')).drainNode(context, 'OFF'),
  );
  defineCommand(
    program,
    {
      usage: 'rename',
      description: 'change the id of this node, once no work is left that other nodes know by the old id',
    },
    finish,
    async (context, [to = '']) => (await import('./commands/rename.js')).renameNode(context, to),
  ).argument('<new>', 'the new id: 1 to 32 lower-case letters, digits and dashes');
  defineCommand(
    program,
    {
      usage: 'reset-identity',
      description: 'turn a copy of a node into a separate node: new key, new id, none of the work of the original',
    },
    finish,
    async (context, [to]) => (await import('./commands/reset-identity.js')).resetIdentity(context, to),
  ).argument('[new]', 'the new id (default: from the host name)');
}

function addRunFlags(command: Command, kind: 'run' | 'defer'): void {
  command
    .argument('<program...>', 'the program and its arguments, run without a shell')
    .usage('[flags] -- PROGRAM [ARGUMENTS]')
    // Flags after the program belong to the program.
    .passThroughOptions()
    .option('--in <path...>', 'files and directories that the command needs')
    .option('--out <glob...>', 'files to bring back, as globs relative to the directory of the job')
    .option('--on <node>', 'run on the named node only')
    .option('--here', 'run on this node only')
    .option('--away', 'run on any node but this one')
    .option('--cpus <n>', 'cores that the command uses, rounded up to slots (default: 1)')
    .option('--memory <size>', 'memory that the command needs, such as 512M')
    .option('--arch <arch>', 'processor architecture that the command needs: x64, arm64 …')
    .option('--os <os>', 'operating system that the command needs: linux, darwin …')
    .option('--label <label>', 'label that the node must have; may be repeated', collectValues)
    .option(
      '--env <name=value>',
      'environment variable; NAME alone passes on its current value; may be repeated',
      collectValues,
    )
    .option('--stdin <file>', 'file that the command reads as stdin (default: empty)')
    .option('--wall <duration>', 'longest time that the command may run, such as 90s or 2h')
    .option(
      '--retry <how>',
      'what happens when its receiver is lost: rerun, or once, which never restarts it automatically (default: rerun)',
    )
    .option('--attempts <n>', 'how many times the item may be started in total (default: 3)')
    .option(
      '--migrate <how>',
      'how it may move while it runs: never; restart; cooperative, a restart after it was asked to save its work; checkpoint, the running process itself (default: never)',
    )
    .option('--name <name>', 'name to display (default: the program)')
    .option('--wait', `wait until the item has ended${kind === 'run' ? ' (default)' : ''}`)
    .option('--no-wait', `print the id of the item and return${kind === 'defer' ? ' (default)' : ''}`)
    .option('-v, --verbose', 'report each step on stderr (default: on a terminal)');
}
