/**
 * `tritmesh run` and `tritmesh defer`: submit a command to this machine's node and, for `run` by default, wait until it
 * has ended. The subscriptions come BEFORE the submission: an item that ends at once must not be missed.
 */
import { filter, firstValueFrom, map, Subscription } from 'rxjs';
import { loadSigner, type Client } from '../../compose/client.js';
import { writeItem, type Item } from '../../protocol/item.js';
import { RequestFailed, createRequestClient, type RequestClient } from '../request/request-client.js';
import { reportAbsence } from '../broker-absence.js';
import { printJson, type Context } from '../context.js';
import { CommandFailed, EXIT } from '../failure.js';
import { followJob, type FollowedJob } from '../job/follow-job.js';
import type { ItemFlags } from '../job/draft-item.js';
import { checkItem, parseItem } from '../job/parse-item.js';
import { openClient } from '../snapshot.js';
import { attachToJob } from '../job/attach.js';
import { createReadingReporter } from '../job/report-reading.js';
import type { Handover } from '../thin/handover.js';

/** Flags of `run` and `defer`. */
export interface RunFlags extends ItemFlags {
  readonly wait?: boolean;
  readonly verbose?: boolean;
}

/**
 * Submits and, with `wait` (default for `run`), waits for the end; resolves with the exit code. With a `handover`, the
 * thin path has submitted the item, or tried to.
 */
export async function runItem(
  context: Context,
  argv: readonly string[],
  flags: RunFlags,
  kind: 'run' | 'defer',
  handover?: Handover,
): Promise<number> {
  const { config } = context;
  const item = handover === undefined ? readItem(context, argv, flags, kind) : checkItem(handover.draft);
  const signer = await loadSigner(config.state_dir, config.id);
  const client = openClient(config);
  const to = { ...client, node: config.id, signer };
  const requests = createRequestClient({ ...to, verbs: ['run', 'cancel'] });
  const statusRequests = createRequestClient({ ...to, verbs: ['item'], answerMs: STATUS_ANSWER_MS });
  const job = followJob(client, config.id, item.id);
  const notices = new Subscription();
  handover?.follow(job.addLog);
  try {
    if (handover !== undefined) notices.add(reportAbsence(context, client));
    // An item that the node may have is waited for, even if neither node nor broker is there now.
    await (handover === undefined ? client.connect() : client.connectPatiently());
    handover?.release();
    if (handover === undefined) notices.add(reportAbsence(context, client));
    if (handover?.isAccepted !== true) await submit(context, client, requests, job, item, handover !== undefined);
    if (flags.wait ?? kind === 'run') {
      const verbose = flags.verbose ?? context.isTerminal;
      const reading = createReadingReporter(client, signer, item.id);
      const options = { client, item, verbose, reading, handover };
      return await attachToJob(context, { requests, statusRequests }, job, options);
    }
    reportSubmitted(context, item);
    return EXIT.done;
  } finally {
    notices.unsubscribe();
    job.stop();
    await client.close();
  }
}

function readItem({ config }: Context, argv: readonly string[], flags: RunFlags, kind: 'run' | 'defer'): Item {
  return parseItem(argv, flags, {
    directory: process.cwd(),
    variables: process.env,
    now: Date.now(),
    attempts: config.retry.attempts,
    deferred: kind === 'defer',
  });
}

/** How long the node may take to answer for the status of an item, ms; it is asked again later. */
const STATUS_ANSWER_MS = 5000;

/** How many times a node that does not answer is asked to take the item. */
const TRIES_MAX = 3;

/**
 * Submits the item. The request is repeated on silence, since either it or its answer may be lost; this is safe because
 * a node takes an item id only once. A node that publishes the item's status has taken it, even if its answer was lost.
 * `wasSent`: it was sent before, and the node may have taken it then.
 */
async function submit(
  context: Context,
  client: Client,
  requests: RequestClient,
  job: FollowedJob,
  item: Item,
  wasSent: boolean,
): Promise<void> {
  for (let tries = 1; ;) {
    try {
      await requests.send('run', { item: writeItem(item) });
      return;
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      if (error.fault !== 'silent' && error.fault !== 'unsent')
        throw tries === 1 && !wasSent ? error : doubt(error, item);
      if (job.last() !== undefined) return;
      // An attempt without a connection does not count.
      const isOnline = await firstValueFrom(client.bus.link$.pipe(map((link) => link.state === 'online')));
      if (isOnline) {
        if (tries >= TRIES_MAX) throw doubt(error, item);
        tries += 1;
        context.report(`${error.message}; asking again`);
      }
      await firstValueFrom(client.bus.link$.pipe(filter((link) => link.state === 'online')));
    }
  }
}

/** The node may have taken the item anyway: the user must check before submitting it again. */
function doubt(error: RequestFailed, { id: item }: Item): CommandFailed {
  return new CommandFailed(`${error.message}; it may have taken ${item} anyway: check with "tritmesh items"`);
}

function reportSubmitted(context: Context, item: Item): void {
  const { id } = context.config;
  if (context.json) printJson(context, { owner: id, item: item.id, name: item.name });
  else context.print(`${item.id}\n`);
}
