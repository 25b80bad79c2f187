/** The commands that submit work and steer it. */
import type { Command } from 'commander';
import { defineCommand, type Finish } from './define-command.js';
import { gather } from './flags.js';
import type { RunFlags } from './run.js';

/** Adds them. */
export function addWorkCommands(program: Command, finish: Finish): void {
  addRunCommand(program, finish, 'run', 'run a command on an idle node; its output and exit code come back');
  addRunCommand(program, finish, 'defer', 'run a command when the mesh has nothing better to do');
  defineCommand(
    program,
    { usage: 'cancel <item>', description: 'take an item back, wherever it is' },
    finish,
    async (context, [item = '']) => (await import('./cancel.js')).cancelItem(context, item),
  );
  defineCommand(
    program,
    { usage: 'retry <item>', description: 'start a lost item once more' },
    finish,
    async (context, [item = '']) => (await import('./retry.js')).retryItem(context, item),
  );
  defineCommand(
    program,
    { usage: 'fetch <item>', description: 'bring outputs home that there was no way to' },
    finish,
    async (context, [item = '']) => (await import('./fetch.js')).fetchItem(context, item),
  );
  defineCommand(
    program,
    { usage: 'migrate <what>', description: 'move work off a node: an ITEM, the item of a PID, or the top one' },
    finish,
    async (context, [what = ''], flags) =>
      (await import('./migrate.js')).migrateWork(context, what, flags['to'] as string | undefined),
  ).option('--to <node>', 'where it is to go (default: the best receiver)');
  defineCommand(
    program,
    { usage: 'drain', description: 'take no more work on a node and let its guests go' },
    finish,
    async (context) => (await import('./drain.js')).drainNode(context, 'ON'),
  );
  defineCommand(
    program,
    {
      usage: 'rename <new>',
      description: 'give this node another id, once nothing is left that others know by the old one',
    },
    finish,
    async (context, [to = '']) => (await import('./rename.js')).renameNode(context, to),
  );
  defineCommand(
    program,
    {
      usage: 'reset-identity [new]',
      description: 'make a copy of a node a node of its own: new key, new id, no work of the other',
    },
    finish,
    async (context, [to]) => (await import('./reset-identity.js')).resetIdentity(context, to),
  );
  defineCommand(
    program,
    { usage: 'resume', description: 'take work again on a drained node' },
    finish,
    async (context) => (await import('./drain.js')).drainNode(context, 'OFF'),
  );
}

function addRunCommand(program: Command, finish: Finish, kind: 'run' | 'defer', description: string): void {
  defineCommand(program, { usage: `${kind} <program...>`, description }, finish, async (context, operands, flags) =>
    (await import('./run.js')).runItem(context, operands, flags as RunFlags, kind),
  )
    .usage('[flags] -- PROGRAM [ARGUMENTS]')
    // What stands behind the program is the program's.
    .passThroughOptions()
    .option('--in <path...>', 'files and directories that it needs')
    .option('--out <glob...>', 'files that come home, below its directory')
    .option('--on <node>', 'only there')
    .option('--here', 'only on this node')
    .option('--away', 'anywhere but on this node')
    .option('--cpus <n>', 'cores that it uses (default: 1)')
    .option('--memory <size>', 'memory that it needs, such as 512M')
    .option('--arch <arch>', 'x64, arm64 …')
    .option('--os <os>', 'linux, darwin …')
    .option('--label <label>', 'label that its node must have; may be repeated', gather)
    .option('--env <name=value>', 'variable that it gets; NAME alone takes the value here; may be repeated', gather)
    .option('--stdin <file>', 'what it reads from stdin')
    .option('--wall <duration>', 'longest time it may run, such as 90s or 2h')
    .option('--retry <how>', 'after a lost receiver: rerun (default) or once')
    .option('--attempts <n>', 'how often it may be started in all')
    .option(
      '--migrate <how>',
      'how it may be moved once it runs: never (default), restart, cooperative (asked to save first) or checkpoint (as it is)',
    )
    .option('--name <name>', 'name for people (default: the program)')
    .option('--wait', `stay until it has ended${kind === 'run' ? ' (default)' : ''}`)
    .option('--no-wait', `print its id and go${kind === 'defer' ? ' (default)' : ''}`)
    .option('-v, --verbose', 'tell each step on stderr (default: on a terminal)');
}
