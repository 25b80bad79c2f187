/** `tritmesh node`: this machine as a member of the mesh, until it is told to stop. */
import { composeNode } from '../compose.js';
import type { Config } from '../config/config.js';
import { createLog } from '../log/log.js';
import type { Context } from './context.js';
import { CommandFailed, EXIT } from './failure.js';
import { closeInherited } from '../inherited-descriptors.js';
import { untilStopped } from './until-stopped.js';

/** Runs a node until SIGINT or SIGTERM. */
export async function runNode(context: Context): Promise<number> {
  const stopped = untilStopped();
  const running = await startNode(context);
  await stopped;
  await running.stop();
  return EXIT.done;
}

/** Starts a node, says who it is, and writes its notes as they come. */
export async function startNode(context: Context): Promise<{ stop(): Promise<void> }> {
  const { config } = context;
  closeInherited();
  const running = await composeNode(config).catch(refuseStart);
  context.print(describeNode(config));
  const log = await createLog(config.log_level);
  running.node.notes$.subscribe(({ level, text }) => log[level](text));
  return running;
}

/** What could not be opened is said in one sentence; only a fault of ours has a name of its own and shows its stack. */
function refuseStart(error: unknown): never {
  if (error instanceof Error && error.name === 'Error')
    throw new CommandFailed(`the node cannot start: ${error.message}`);
  throw error;
}

function describeNode(config: Config): string {
  const { hostname, port } = new URL(config.broker);
  const host = hostname === '127.0.0.1' ? '' : ` -h ${hostname}`;
  return [
    `node ${config.id} at ${config.broker}, base ${config.base}`,
    `state in ${config.state_dir}, load by ${config.sense.metric}, ${config.slots} slots on ${config.cpus} cpus`,
    `look with: tritmesh status, tritmesh watch, mosquitto_sub${host}${port === '' || port === '1883' ? '' : ` -p ${port}`} -t '${config.base}/#' -v`,
    '',
  ].join('\n');
}
