/**
 * `tritmesh fetch ITEM`: brings the outputs of an item home that there was no way to. It writes what `tritmesh run` would have written
 * and gives the job's exit code, or says what is still in the way.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { loadSigner } from '../compose-client.js';
import type { Status } from '../protocol/status.js';
import { readItemReference, type ItemReference } from './ask-node.js';
import { createAsker, type Asker } from './ask.js';
import { printJson, type Context } from './context.js';
import { CommandFailed, EXIT } from './failure.js';
import { createJobOutput } from './job-output.js';
import { openJobStreams } from './job-sink.js';
import { openBrokerClient, openClient } from './look.js';
import { describeEnd, describeStuck, exitCodeOf, isOver } from './render/run.js';
import { askStanding } from './standing.js';

/** How often the owner is asked whether they have come, ms. */
const LOOK_MS = 500;

/** Fetches; gives the exit code of the job, or 125 when its outputs are still away. */
export async function fetchItem(context: Context, text: string): Promise<number> {
  const { config } = context;
  const reference = readItemReference(text, config.id);
  const signer = await loadSigner(config.state_dir, config.id);
  const client = reference.owner === config.id ? openClient(config) : openBrokerClient(config);
  const asker = createAsker({ ...client, node: reference.owner, verbs: ['fetch', 'item'], signer });
  try {
    await client.connect();
    await asker.ask('fetch', { item: reference.item });
    return await tell(context, reference, await awaitHome(asker, reference.item));
  } finally {
    await client.close();
  }
}

/** How it stands once its outputs are home, or once they cannot come. */
async function awaitHome(asker: Asker, item: string): Promise<Status> {
  for (;;) {
    const standing = await askStanding(asker, item);
    if (!standing.known) throw new CommandFailed(standing.reason);
    const { status } = standing;
    if (status.phase !== 'returning' || status.unreached === true) return status;
    await pause(LOOK_MS);
  }
}

async function tell(context: Context, { owner, item }: ItemReference, status: Status): Promise<number> {
  const directory = join(context.config.state_dir, 'items', item);
  const isHome = isOver(status);
  if (context.json) printJson(context, { owner, item, ...status, directory });
  else if (owner !== context.config.id) context.print(`${owner}/${item} is ${status.phase}: ${status.reason}\n`);
  else if (isHome) await writeOutput(context, item, status, directory);
  if (!isHome) {
    context.say(describeStuck(item, status));
    return EXIT.unknown;
  }
  const sentence = describeEnd(item, status.name, status);
  if (sentence !== undefined) context.say(sentence);
  return exitCodeOf(status);
}

async function writeOutput(context: Context, item: string, { epoch }: Status, directory: string): Promise<void> {
  const output = createJobOutput({ ...openJobStreams(), note: (text) => context.say(`${item}: ${text}`) });
  await output.finish(epoch, directory);
}
