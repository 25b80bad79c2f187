/** The commands that look: at the mesh, at one item, at this machine. */
import type { Command } from 'commander';
import { defineCommand, type Finish } from './define-command.js';

/** Adds them. */
export function addViewCommands(program: Command, finish: Finish): void {
  defineCommand(
    program,
    { usage: 'status', description: 'every node with its trit and load, the sum, and why work waits' },
    finish,
    async (context, _operands, flags) => (await import('./status.js')).showStatus(context, flags['all'] === true),
  ).option('--all', 'nodes that are gone, and their items, too');
  defineCommand(
    program,
    { usage: 'receivers', description: 'the three least loaded MINUS nodes, and why the others are none' },
    finish,
    async (context, _operands, flags) => (await import('./receivers.js')).showReceivers(context, flags['all'] === true),
  ).option('--all', 'nodes that are gone, too');
  defineCommand(
    program,
    { usage: 'scum [node]', description: 'the heavy processes of a node and what becomes of them' },
    finish,
    async (context, [node], flags) => (await import('./scum.js')).showScum(context, node, flags['explain'] === true),
  ).option('--explain', 'with the terms of each score, whether the node acts, and why');
  defineCommand(
    program,
    { usage: 'items', description: 'the work of the mesh and how it stands' },
    finish,
    async (context, _operands, flags) => (await import('./items.js')).showItems(context, flags['all'] === true),
  ).option('--all', 'ended ones too, as long as they are on the bus, and those of nodes that are gone');
  defineCommand(
    program,
    { usage: 'logs <item>', description: 'what an item wrote; OWNER/ITEM for one of another node' },
    finish,
    async (context, [item = ''], flags) =>
      (await import('./logs.js')).showLogs(context, item, flags['follow'] === true),
  ).option('-f, --follow', 'follow what it is writing now');
  defineCommand(
    program,
    { usage: 'watch', description: 'one line for each thing that happens on the mesh' },
    finish,
    async (context) => (await import('./watch.js')).watchMesh(context),
  );
  defineCommand(
    program,
    { usage: 'simulate', description: 'live whole meshes with faults in virtual time, and see every promise hold' },
    finish,
    async (context, _operands, flags) => {
      if (flags['nodes'] !== undefined) {
        const { readPolicyFlags, simulatePolicy } = await import('./simulate-policy.js');
        return simulatePolicy(context, readPolicyFlags(flags));
      }
      const { readSimulateFlags, simulate } = await import('./simulate.js');
      return simulate(context, readSimulateFlags(flags));
    },
  )
    .option('--seeds <count>', 'how many meshes, each from a seed of its own (200; with --nodes: 1)')
    .option('--first <seed>', 'the first seed (1)')
    .option('--seed <seed>', 'only this one')
    .option('--trace', 'with --seed: a line for each thing that happens')
    .option('--workers <count>', 'threads (2)')
    .option('--nodes <count>', 'judge policies instead: one mesh of so many nodes, without faults')
    .option('--hours <hours>', 'with --nodes: how long it lives (1)')
    .option('--workload <name>', 'with --nodes: lab, bursts, edge or crowd (lab)')
    .option('--compare', 'with --nodes: the defaults against gf3, no hysteresis, and all claiming at once')
    .option('--state-every <seconds>', 'with --nodes: pause between two states of a node, for large meshes');
  defineCommand(
    program,
    { usage: 'doctor', description: 'what works on this machine, and what to do about the rest', all: true },
    finish,
    async (context) => (await import('./doctor.js')).examine(context),
  ).option('--sense <metric>', 'how the load is sensed');
  defineCommand(
    program,
    { usage: 'config', description: 'the configuration in force, and where each value came from', all: true },
    finish,
    async (context) => (await import('./config.js')).showConfig(context),
  ).option('--sense <metric>', 'how the load is sensed');
}
