/**
 * `tritmesh logs ITEM`: prints the output of an item. Output that has come home is read from the state directory; with
 * `-f`, the output of a running item is followed on the bus.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { firstValueFrom, from, fromEvent, map, merge, race, switchMap } from 'rxjs';
import { loadSigner } from '../../compose/client.js';
import type { Status } from '../../protocol/status.js';
import type { LogPiece } from '../../protocol/work-messages.js';
import { reportAbsence, reportNarrow } from '../broker-absence.js';
import { createRequestClient } from '../request/request-client.js';
import { requestNode, readItemReference, type ItemReference } from '../request/request-node.js';
import { awaitEnd } from '../job/await-end.js';
import type { Context } from '../context.js';
import { CommandFailed, EXIT } from '../failure.js';
import { followJob, type FollowedJob } from '../job/follow-job.js';
import { joinPiece, LOG_START, type LogPosition } from '../job/log-stitch.js';
import { takeSnapshot, openClient } from '../snapshot.js';
import { isOver } from '../render/run.js';
import { isTooOld, readStanding } from '../job/item-standing.js';

/** Prints the output that has come home or, with `follow`, the output as it is written. */
export async function showLogs(context: Context, text: string, follow: boolean): Promise<number> {
  const reference = readItemReference(text, context.config.id);
  if (await printHome(context, reference)) return EXIT.done;
  return follow ? followLogs(context, reference) : explainAbsence(context, reference);
}

async function printHome({ config }: Context, { owner, item }: ItemReference): Promise<boolean> {
  if (owner !== config.id) return false;
  const directory = join(config.state_dir, 'items', item);
  let isThere = false;
  for (const stream of ['stdout', 'stderr'] as const) {
    const path = join(directory, stream);
    if (!existsSync(path)) continue;
    isThere = true;
    process[stream].write(await readFile(path));
  }
  return isThere;
}

async function explainAbsence(context: Context, { owner, item }: ItemReference): Promise<number> {
  const { items, absence } = await takeSnapshot(context.config);
  reportNarrow(context, absence);
  const status =
    items.find((one) => one.owner === owner && one.item === item) ?? (await requestStatus(context, owner, item));
  if (isOver(status)) {
    const where = owner === context.config.id ? 'it left no output here' : `its output is on ${owner}`;
    context.report(`${item} is ${status.phase}; ${where}`);
    return owner === context.config.id && status.phase === 'done' ? EXIT.done : EXIT.failed;
  }
  throw new CommandFailed(
    `${item} is ${status.phase}; its output comes home when it ends, "tritmesh logs -f ${item}" follows it until then`,
  );
}

/** Not every status is on the bus: an owner with many items keeps only some there, and clears old ones. */
async function requestStatus(context: Context, owner: string, item: string): Promise<Status> {
  const answer = await requestNode(context, owner, 'item', { item }).catch((error: unknown) => {
    if (isTooOld(error))
      throw new CommandFailed(`${owner} has no item ${item} on the bus, and its version of tritmesh cannot be asked`);
    throw error;
  });
  const standing = readStanding(item, answer);
  if (standing.known) return standing.status;
  throw new CommandFailed(standing.reason);
}

async function followLogs(context: Context, { owner, item }: ItemReference): Promise<number> {
  const { config } = context;
  const signer = await loadSigner(config.state_dir, config.id);
  const client = openClient(config);
  const requests = createRequestClient({ ...client, node: owner, verbs: ['item'], signer, answerMs: STATUS_ANSWER_MS });
  const job = followJob(client, owner, item);
  const away = reportAbsence(context, client);
  const printed = printLive(context, job);
  const left$ = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM')).pipe(map(() => undefined));
  const over$ = from(client.connectPatiently()).pipe(
    // The item may have ended long ago, and its status may no longer be on the bus.
    switchMap(() => awaitEnd({ client, requests, job, report: context.report, isVerbose: false, now: true })),
  );
  try {
    const end = await firstValueFrom(race(over$, left$));
    if (end === undefined) return EXIT.done;
    if (end.type === 'forgotten') throw new CommandFailed(end.reason);
    context.report(`${item} is ${end.status.phase}`);
    return EXIT.done;
  } finally {
    printed.unsubscribe();
    away.unsubscribe();
    job.stop();
    await client.close();
  }
}

/** How long the owner may take to answer for the status of its item, ms; it is asked again later. */
const STATUS_ANSWER_MS = 5000;

/** Prints the output as it arrives, and reports how much was missed. */
function printLive(context: Context, job: FollowedJob): { unsubscribe(): void } {
  const positions: Record<LogPiece['stream'], LogPosition> = { stdout: LOG_START, stderr: LOG_START };
  return job.log$.subscribe((log) => {
    const { position, bytes, restarted, missed } = joinPiece(positions[log.stream], log);
    positions[log.stream] = position;
    if (restarted) context.report(`${job.item} was restarted (epoch ${position.epoch})`);
    if (missed > 0) context.report(`${missed} bytes of ${log.stream} were missed; they come home when the item ends`);
    if (bytes.byteLength > 0) process[log.stream].write(bytes);
  });
}
