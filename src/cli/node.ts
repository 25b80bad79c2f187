/** `tritmesh node`: this machine as a member of the mesh, until it is told to stop. */
import type { ComposedNode } from '../compose.js';
import { keepNode, type KeptNode } from '../compose-run.js';
import type { Config } from '../config/config.js';
import { createLog } from '../log/log.js';
import type { Context } from './context.js';
import { CommandFailed, EXIT } from './failure.js';
import { untilStopped } from './until-stopped.js';

/** Runs a node until SIGINT or SIGTERM. */
export async function runNode(context: Context): Promise<number> {
  const stopped = untilStopped();
  const running = await startNode(context, callOff(stopped));
  await Promise.race([stopped, running.failed]);
  await running.stop();
  return EXIT.done;
}

/** Starts a node, says who it is, and writes its notes as they come. */
export async function startNode(context: Context, signal?: AbortSignal): Promise<KeptNode> {
  const kept = await keepNode(
    { ...context, signal },
    { started: (composed) => tellStart(context, composed), tell: context.say },
  ).catch(refuseStart);
  const failed = kept.failed.catch(refuseStart);
  // Whoever only stops it has no use for the reason.
  failed.catch(() => undefined);
  return { ...kept, failed };
}

/** A start that waits for something ends when it is told to stop. */
export function callOff(stopped: Promise<void>): AbortSignal {
  const controller = new AbortController();
  void stopped.then(() => controller.abort());
  return controller.signal;
}

async function tellStart(context: Context, { config, node, notes }: ComposedNode): Promise<void> {
  context.print(describeNode(config, context.origins));
  const log = await createLog(config.log_level);
  for (const note of notes) log.warn(note);
  node.notes$.subscribe(({ level, text }) => log[level](text));
}

/** What could not be opened is said in one sentence; only a fault of ours has a name of its own and shows its stack. */
function refuseStart(error: unknown): never {
  if (error instanceof Error && error.name === 'Error')
    throw new CommandFailed(`the node cannot start: ${error.message}`);
  throw error;
}

function describeNode(config: Config, origins: Context['origins']): string {
  // What a flag of this command says, others must be told, too.
  const flag = (origins['broker'] ?? '').startsWith('--') ? ` --broker ${config.broker}` : '';
  const { hostname, port } = new URL(config.broker);
  const host = hostname === '127.0.0.1' ? '' : ` -h ${hostname}`;
  return [
    `node ${config.id} at ${config.broker}, base ${config.base}`,
    `state in ${config.state_dir}, load by ${config.sense.metric}, ${config.slots} slots on ${config.cpus} cpus`,
    `look with: tritmesh status${flag}, tritmesh watch${flag}, mosquitto_sub${host}${port === '' || port === '1883' ? '' : ` -p ${port}`} -t '${config.base}/#' -v`,
    '',
  ].join('\n');
}
