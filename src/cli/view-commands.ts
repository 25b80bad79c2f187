/** Defines the commands that only show something: the mesh, an item, this machine, a simulation. */
import type { Command } from 'commander';
import { defineCommand, type Finish } from './define-command.js';
import { ITEM_TEXT, SENSE_TEXT } from './flags.js';

/** Adds `status`, `receivers`, `scum`, `items`, `logs`, `watch`, `simulate`, `doctor` and `config` to the program. */
export function addViewCommands(program: Command, finish: Finish): void {
  addMeshCommands(program, finish);
  addMachineCommands(program, finish);
}

function addMeshCommands(program: Command, finish: Finish): void {
  defineCommand(
    program,
    { usage: 'status', description: 'show every node with its trit and load, the sum, and why work waits' },
    finish,
    async (context, _operands, flags) =>
      (await import('./commands/status.js')).showStatus(context, flags['all'] === true),
  ).option('--all', 'also show nodes that are gone, and their items');
  defineCommand(
    program,
    { usage: 'receivers', description: 'show the three best receivers, and why the other nodes cannot take work' },
    finish,
    async (context, _operands, flags) =>
      (await import('./commands/receivers.js')).showReceivers(context, flags['all'] === true),
  ).option('--all', 'also show nodes that are gone');
  defineCommand(
    program,
    { usage: 'scum', description: 'show the heavy processes of a node and what the node does about them' },
    finish,
    async (context, [node], flags) =>
      (await import('./commands/scum.js')).showScum(context, node, flags['explain'] === true),
  )
    .argument('[node]', 'id of the node (default: the node to act for, see --id)')
    .option('--explain', 'also show the terms of each score, whether the node acts, and why');
  defineCommand(
    program,
    { usage: 'items', description: 'show the work of the mesh, where it is and why it waits' },
    finish,
    async (context, _operands, flags) =>
      (await import('./commands/items.js')).showItems(context, flags['all'] === true),
  ).option(
    '--all',
    'also show items that have ended, while they are still on the bus, and those of nodes that are gone',
  );
  defineCommand(
    program,
    { usage: 'logs', description: 'print the output of an item' },
    finish,
    async (context, [item = ''], flags) =>
      (await import('./commands/logs.js')).showLogs(context, item, flags['follow'] === true),
  )
    .argument('<item>', ITEM_TEXT)
    .option('-f, --follow', 'follow the output as it is written');
  defineCommand(
    program,
    { usage: 'watch', description: 'print one line for each event on the mesh' },
    finish,
    async (context) => (await import('./commands/watch.js')).watchMesh(context),
  );
}

function addMachineCommands(program: Command, finish: Finish): void {
  defineCommand(
    program,
    { usage: 'simulate', description: 'simulate whole meshes with faults in virtual time, and check every promise' },
    finish,
    async (context, _operands, flags) => {
      if (flags['nodes'] !== undefined) {
        const { readPolicyFlags, simulatePolicy } = await import('./commands/simulate-policy.js');
        return simulatePolicy(context, readPolicyFlags(flags));
      }
      const { readSimulateFlags, simulate } = await import('./commands/simulate.js');
      return simulate(context, readSimulateFlags(flags));
    },
  )
    .option('--seeds <count>', 'number of meshes, one per seed (default: 200; with --nodes: 1)')
    .option('--first <seed>', 'first seed (default: 1)')
    .option('--seed <seed>', 'run only this seed; with --nodes: start from this seed')
    .option('--trace', 'with --seed: print one line for each event')
    .option('--workers <count>', 'number of threads (default: 2)')
    .option('--nodes <count>', 'compare policies instead: a mesh of this many nodes (at most 1000), without faults')
    .option('--hours <hours>', 'with --nodes: hours of virtual time (default: 1)')
    .option('--workload <name>', 'with --nodes: lab, bursts, edge or crowd (default: lab)')
    .option('--compare', 'with --nodes: compare the defaults with gf3, no hysteresis, and all nodes claiming at once')
    .option(
      '--state-every <seconds>',
      'with --nodes: interval of the state messages of a node, for large meshes (default: 15)',
    );
  defineCommand(
    program,
    { usage: 'doctor', description: 'check what works on this machine, and say what to do about the rest', all: true },
    finish,
    async (context) => (await import('./commands/doctor.js')).examine(context),
  ).option('--sense <metric>', SENSE_TEXT);
  defineCommand(
    program,
    { usage: 'config', description: 'show the configuration in force, and where each value came from', all: true },
    finish,
    async (context) => (await import('./commands/config.js')).showConfig(context),
  ).option('--sense <metric>', SENSE_TEXT);
}
