/** Runs the jobs through tritmesh: a node in each machine, all jobs submitted at once by the busy one. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BASE, startBroker } from '../setup/brokers.js';
import { startConversation } from '../setup/conversation.js';
import { findInstalled } from '../setup/find-installed.js';
import { startProgram, TRITMESH } from '../setup/program.js';
import type { Scratch } from '../setup/scratch.js';
import type { Machines } from './cgroups.js';
import type { Machine } from './jobs.js';

/** Runs all jobs; resolves when the last has ended. Rejects if one does not succeed. */
export type RunAll = (jobs: readonly (readonly string[])[]) => Promise<void>;

/** CPUs that a job asks for: as many jobs as slots fit into each machine. */
const NEED_CPUS = 0.25;

/** Starts the nodes; resolves when the busy one knows the others as receivers. */
export async function startTritmesh(
  scratch: Scratch,
  machines: readonly Machine[],
  { enter }: Machines,
): Promise<RunAll> {
  const broker = await startBroker(scratch, findInstalled('mosquitto') === undefined ? 'aedes' : 'mosquitto');
  const flagsOf = ({ name, cpus, slots }: Machine): Record<string, string> => ({
    broker: broker.url,
    base: BASE,
    id: name,
    'state-dir': join(scratch.directory, name),
    sense: 'cgroup',
    cpus: String(cpus),
    slots: String(slots),
    'transfer-listen': '127.0.0.1',
  });
  const idle = machines.filter(({ ownCpus }) => ownCpus === 0);
  const busy = machines.find(({ ownCpus }) => ownCpus > 0);
  if (busy === undefined) throw new RangeError('no machine is busy');
  for (const machine of idle) {
    const flags = Object.entries(flagsOf(machine)).flatMap(([key, value]) => [`--${key}`, value]);
    const argv = [enter, machine.name, process.execPath, TRITMESH, 'node', ...flags];
    await startProgram(scratch, argv, /connected to the broker/);
  }
  const program = fileURLToPath(new URL('./owner-node.mjs', import.meta.url));
  const receivers = JSON.stringify(idle.map(({ name }) => name));
  const argv = [enter, busy.name, process.execPath, program, JSON.stringify(flagsOf(busy)), receivers];
  const owner = startConversation(scratch, argv);
  await owner.nextLine();
  return async (jobs) => {
    for (const [index, job] of jobs.entries()) {
      owner.write(JSON.stringify({ id: `job-${index}`, argv: job, cpus: NEED_CPUS }));
    }
    for (const _ of jobs) {
      const line = await owner.nextLine();
      if (!line.startsWith('settled done')) throw new Error(`a job did not succeed: ${line}`);
    }
  };
}
