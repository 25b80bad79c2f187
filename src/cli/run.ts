/**
 * `tritmesh run` and `tritmesh defer`: submits a command to this machine's node and, unless told otherwise, stays with it
 * until it has ended. It subscribes before it submits, so that not even an item that ends at once is missed.
 */
import { loadSigner } from '../compose-client.js';
import type { Item } from '../protocol/item.js';
import { AskFailed, createAsker, type Asker } from './ask.js';
import { printJson, type Context } from './context.js';
import { EXIT } from './failure.js';
import { followJob, type FollowedJob } from './follow-job.js';
import { readItem, type ItemFlags } from './item-of-flags.js';
import { openClient } from './look.js';
import { stayWithJob } from './stay-with-job.js';

/** Flags of `run` and `defer`. */
export interface RunFlags extends ItemFlags {
  readonly wait?: boolean;
  readonly verbose?: boolean;
}

/** Submits and, with `wait` (default: for `run`), stays until the end; gives the exit code. */
export async function runItem(
  context: Context,
  argv: readonly string[],
  flags: RunFlags,
  kind: 'run' | 'defer',
): Promise<number> {
  const { config } = context;
  const item = readItem(argv, flags, {
    directory: process.cwd(),
    variables: process.env,
    now: Date.now(),
    attempts: config.retry.attempts,
    deferred: kind === 'defer',
  });
  const signer = await loadSigner(config.state_dir, config.id);
  const client = openClient(config);
  const asker = createAsker({ ...client, node: config.id, verbs: ['run', 'cancel'], signer });
  const job = followJob(client, config.id, item.item);
  try {
    await client.connect((reason) => context.say(`${reason}; still trying`));
    await submit(asker, job, item);
    if (flags.wait ?? kind === 'run') {
      return await stayWithJob(context, asker, job, { item, verbose: flags.verbose ?? context.isTerminal });
    }
    tellSubmitted(context, item);
    return EXIT.done;
  } finally {
    job.stop();
    await client.close();
  }
}

/** A node that says the item's status has taken it, even if its answer was lost. */
async function submit(asker: Asker, job: FollowedJob, item: Item): Promise<void> {
  try {
    await asker.ask('run', { item });
  } catch (error) {
    const isLost = error instanceof AskFailed && (error.fault === 'silent' || error.fault === 'unsent');
    if (!isLost || job.last() === undefined) throw error;
  }
}

function tellSubmitted(context: Context, item: Item): void {
  const { id } = context.config;
  if (context.json) printJson(context, { owner: id, item: item.item, name: item.name });
  else context.print(`${item.item}\n`);
}
