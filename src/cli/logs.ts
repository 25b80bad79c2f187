/**
 * `tritmesh logs ITEM`: what an item wrote. What came home is read from the state directory; with `-f`, what is still
 * being written is followed on the bus.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { firstValueFrom, from, fromEvent, map, merge, race, switchMap } from 'rxjs';
import { loadSigner } from '../compose-client.js';
import type { Status } from '../protocol/status.js';
import type { Log } from '../protocol/work-messages.js';
import { tellAbsence, tellNarrow } from './absence.js';
import { createAsker } from './ask.js';
import { askNode, readItemReference, type ItemReference } from './ask-node.js';
import { awaitEnd } from './await-end.js';
import type { Context } from './context.js';
import { CommandFailed, EXIT } from './failure.js';
import { followJob, type FollowedJob } from './follow-job.js';
import { joinPiece, LOG_START, type LogPosition } from './log-stitch.js';
import { lookOnce, openClient } from './look.js';
import { isOver } from './render/run.js';
import { isTooOld, readStanding } from './standing.js';

/** Prints the output that came home or, with `follow`, the output as it is written. */
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
  const { items, absence } = await lookOnce(context.config);
  tellNarrow(context, absence);
  const status =
    items.find((one) => one.owner === owner && one.item === item) ?? (await askOwner(context, owner, item));
  if (isOver(status)) {
    const where = owner === context.config.id ? 'it wrote nothing that came home' : `its output is at ${owner}`;
    context.say(`${item} is ${status.phase}; ${where}`);
    return owner === context.config.id && status.phase === 'done' ? EXIT.done : EXIT.failed;
  }
  throw new CommandFailed(
    `${item} is ${status.phase}; its output comes home when it has ended, "tritmesh logs -f ${item}" follows it`,
  );
}

/** Not every status is on the bus: an owner with many items keeps only some of them there, and takes off old ones. */
async function askOwner(context: Context, owner: string, item: string): Promise<Status> {
  const answer = await askNode(context, owner, 'item', { item }).catch((error: unknown) => {
    if (isTooOld(error)) throw new CommandFailed(`no item ${item} of ${owner} is known`);
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
  const asker = createAsker({ ...client, node: owner, verbs: ['item'], signer, answerMs: LOOK_MS });
  const job = followJob(client, owner, item);
  const away = tellAbsence(context, client);
  const printed = printLive(context, job);
  const left$ = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM')).pipe(map(() => undefined));
  const over$ = from(client.connectPatiently()).pipe(
    // It may have ended long ago, and its status may be off the bus.
    switchMap(() => awaitEnd({ client, asker, job, say: context.say, isTold: false, now: true })),
  );
  try {
    const end = await firstValueFrom(race(over$, left$));
    if (end === undefined) return EXIT.done;
    if (end.type === 'forgotten') throw new CommandFailed(end.reason);
    context.say(`${item} is ${end.status.phase}`);
    return EXIT.done;
  } finally {
    printed.unsubscribe();
    away.unsubscribe();
    job.stop();
    await client.close();
  }
}

/** How long the owner may take to say how its item stands, ms; it is asked again. */
const LOOK_MS = 5000;

/** Prints what comes; says how much was missed. */
function printLive(context: Context, job: FollowedJob): { unsubscribe(): void } {
  const positions: Record<Log['stream'], LogPosition> = { stdout: LOG_START, stderr: LOG_START };
  return job.log$.subscribe((log) => {
    const { position, bytes, restarted, missed } = joinPiece(positions[log.stream], log);
    positions[log.stream] = position;
    if (restarted) context.say(`${job.item} was started again (epoch ${position.epoch})`);
    if (missed > 0) context.say(`${missed} bytes of ${log.stream} are not shown; they come home when it has ended`);
    if (bytes.byteLength > 0) process[log.stream].write(bytes);
  });
}
