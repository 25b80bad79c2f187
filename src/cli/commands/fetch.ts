/**
 * `tritmesh fetch ITEM`: brings back the outputs of an item that could not be reached when it ended. It writes what
 * `tritmesh run` would have written and exits with the job's code, or reports what is still in the way.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { loadSigner } from '../../compose/client.js';
import type { Status } from '../../protocol/status.js';
import { readItemReference, type ItemReference } from '../request/request-node.js';
import { createRequestClient, type RequestClient } from '../request/request-client.js';
import { printJson, type Context } from '../context.js';
import { CommandFailed, EXIT } from '../failure.js';
import { createJobOutput } from '../job/job-output.js';
import { openJobStreams } from '../job/job-sink.js';
import { openBrokerClient, openClient } from '../snapshot.js';
import { describeEnd, describeStuck, exitCodeOf, isOver } from '../render/run.js';
import { requestStanding } from '../job/item-standing.js';

/** How often the owner is asked whether the outputs have arrived, ms. */
const POLL_MS = 500;

/** Fetches; resolves with the exit code of the job, or 125 if its outputs still cannot be reached. */
export async function fetchItem(context: Context, text: string): Promise<number> {
  const { config } = context;
  const reference = readItemReference(text, config.id);
  const signer = await loadSigner(config.state_dir, config.id);
  const client = reference.owner === config.id ? openClient(config) : openBrokerClient(config);
  const requests = createRequestClient({ ...client, node: reference.owner, verbs: ['fetch', 'item'], signer });
  try {
    await client.connect();
    await requests.send('fetch', { item: reference.item });
    return await report(context, reference, await awaitHome(requests, reference.item));
  } finally {
    await client.close();
  }
}

/** The status once the outputs have arrived, or once it is clear that they cannot be reached. */
async function awaitHome(requests: RequestClient, item: string): Promise<Status> {
  for (;;) {
    const standing = await requestStanding(requests, item);
    if (!standing.known) throw new CommandFailed(standing.reason);
    const { status } = standing;
    if (status.phase !== 'returning' || status.unreached === true) return status;
    await pause(POLL_MS);
  }
}

async function report(context: Context, { owner, item }: ItemReference, status: Status): Promise<number> {
  const directory = join(context.config.state_dir, 'items', item);
  const isHome = isOver(status);
  if (context.json) printJson(context, { owner, item, ...status, directory });
  else if (owner !== context.config.id) context.print(`${owner}/${item} is ${status.phase}: ${status.reason}\n`);
  else if (isHome) await writeOutput(context, item, status, directory);
  if (!isHome) {
    context.report(describeStuck(item, status));
    return EXIT.unknown;
  }
  const sentence = describeEnd(item, status.name, status);
  if (sentence !== undefined) context.report(sentence);
  return exitCodeOf(status);
}

async function writeOutput(context: Context, item: string, { epoch }: Status, directory: string): Promise<void> {
  const output = createJobOutput({ ...openJobStreams(), note: (text) => context.report(`${item}: ${text}`) });
  await output.finish(epoch, directory);
}
