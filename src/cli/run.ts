/**
 * `tritmesh run` and `tritmesh defer`: submits a command to this machine's node and, unless told otherwise, stays with it
 * until it has ended. It subscribes before it submits, so that not even an item that ends at once is missed.
 */
import { filter, firstValueFrom, map, Subscription } from 'rxjs';
import { loadSigner, type Client } from '../compose-client.js';
import type { Item } from '../protocol/item.js';
import { AskFailed, createAsker, type Asker } from './ask.js';
import { tellAbsence } from './absence.js';
import { printJson, type Context } from './context.js';
import { CommandFailed, EXIT } from './failure.js';
import { followJob, type FollowedJob } from './follow-job.js';
import { readItem, type ItemFlags } from './item-of-flags.js';
import { openClient } from './look.js';
import { stayWithJob } from './stay-with-job.js';
import { createReadingTeller } from './tell-reading.js';

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
  const looker = createAsker({ ...client, node: config.id, verbs: ['item'], signer, answerMs: LOOK_MS });
  const job = followJob(client, config.id, item.item);
  const told = new Subscription();
  try {
    await client.connect();
    told.add(tellAbsence(context, client));
    await submit(context, client, asker, job, item);
    if (flags.wait ?? kind === 'run') {
      const verbose = flags.verbose ?? context.isTerminal;
      const reading = createReadingTeller(client, signer, item.item);
      return await stayWithJob(context, { asker, looker }, job, { client, item, verbose, reading });
    }
    tellSubmitted(context, item);
    return EXIT.done;
  } finally {
    told.unsubscribe();
    job.stop();
    await client.close();
  }
}

/** How long the node may take to say how an item stands, ms; it is asked again. */
const LOOK_MS = 5000;

/** How often a node that does not answer is asked to take the item. */
const TRIES_MAX = 3;

/**
 * Submits the item. Whether a request or only its answer was lost cannot be told, and a node takes an item of one id once: so it
 * is asked again. A node that says the item's status has taken it, even if its answer was lost.
 */
async function submit(context: Context, client: Client, asker: Asker, job: FollowedJob, item: Item): Promise<void> {
  for (let tries = 1; ;) {
    try {
      await asker.ask('run', { item });
      return;
    } catch (error) {
      if (!(error instanceof AskFailed)) throw error;
      if (error.fault !== 'silent' && error.fault !== 'unsent') throw tries === 1 ? error : doubt(error, item);
      if (job.last() !== undefined) return;
      // Without a connection nothing was tried.
      const isOnline = await firstValueFrom(client.bus.link$.pipe(map((link) => link.state === 'online')));
      if (isOnline) {
        if (tries >= TRIES_MAX) throw doubt(error, item);
        tries += 1;
        context.say(`${error.message}; asking it again`);
      }
      await firstValueFrom(client.bus.link$.pipe(filter((link) => link.state === 'online')));
    }
  }
}

/** The node may have taken the item all the same, and nobody should submit it anew without a look. */
function doubt(error: AskFailed, { item }: Item): CommandFailed {
  return new CommandFailed(`${error.message}; it may have taken ${item} all the same: "tritmesh items" tells`);
}

function tellSubmitted(context: Context, item: Item): void {
  const { id } = context.config;
  if (context.json) printJson(context, { owner: id, item: item.item, name: item.name });
  else context.print(`${item.item}\n`);
}
