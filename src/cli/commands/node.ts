/** `tritmesh node`: runs this machine as a node of the mesh until it is stopped. */
import type { ComposedNode } from '../../compose/node.js';
import { keepNode, type KeptNode } from '../../compose/keep-node.js';
import type { Config } from '../../config/config.js';
import { createLog } from '../../log/log.js';
import type { Context } from '../context.js';
import { CommandFailed, EXIT } from '../failure.js';
import { untilStopped } from '../until-stopped.js';

/** Runs a node until SIGINT or SIGTERM. */
export async function runNode(context: Context): Promise<number> {
  const stopped = untilStopped();
  const running = await startNode(context, abortWhen(stopped));
  await Promise.race([stopped, running.failed]);
  await running.stop();
  return EXIT.done;
}

/** Starts a node, prints its id and addresses, and writes its log. */
export async function startNode(context: Context, signal?: AbortSignal): Promise<KeptNode> {
  const kept = await keepNode(
    { ...context, signal },
    { started: (composed) => reportStart(context, composed), tell: context.report },
  ).catch(rethrowStartFailure);
  const failed = kept.failed.catch(rethrowStartFailure);
  // A caller that only stops the node does not await `failed`; the rejection must not count as unhandled.
  failed.catch(() => undefined);
  return { ...kept, failed };
}

/** A signal that aborts a start that is still waiting for something once the program is asked to stop. */
export function abortWhen(stopped: Promise<void>): AbortSignal {
  const controller = new AbortController();
  void stopped.then(() => controller.abort());
  return controller.signal;
}

async function reportStart(context: Context, { config, node, notes }: ComposedNode): Promise<void> {
  context.print(describeNode(config, context.origins));
  const log = await createLog(config.log_level);
  for (const note of notes) log.warn(note);
  node.notes$.subscribe(({ level, text }) => log[level](text));
}

/** A plain `Error` is a file, port or journal that could not be opened: one sentence. Other errors keep their type. */
function rethrowStartFailure(error: unknown): never {
  if (error instanceof Error && error.name === 'Error')
    throw new CommandFailed(`the node cannot start: ${error.message}`);
  throw error;
}

function describeNode(config: Config, origins: Context['origins']): string {
  // A broker given by flag is not saved: other commands need the flag too.
  const flag = (origins['broker'] ?? '').startsWith('--') ? ` --broker ${config.broker}` : '';
  const { hostname, port } = new URL(config.broker);
  const host = hostname === '127.0.0.1' ? '' : ` -h ${hostname}`;
  return [
    `node ${config.id} at ${config.broker}, base ${config.base}`,
    `state in ${config.state_dir}, load measured by ${config.sense.metric}, ${config.slots} slots on ${config.cpus} cpus`,
    `watch it with: tritmesh status${flag}, tritmesh watch${flag}, mosquitto_sub${host}${port === '' || port === '1883' ? '' : ` -p ${port}`} -t '${config.base}/#' -v`,
    '',
  ].join('\n');
}
