/**
 * `tritmesh logs ITEM`: what an item wrote. What came home is read from the state directory; with `-f`, what is still
 * being written is followed on the bus.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filter, firstValueFrom, fromEvent, map, merge, race } from 'rxjs';
import type { Log } from '../protocol/work-messages.js';
import { readItemReference, type ItemReference } from './ask-node.js';
import type { Context } from './context.js';
import { CommandFailed, EXIT } from './failure.js';
import { followJob, type FollowedJob } from './follow-job.js';
import { joinPiece, LOG_START, type LogPosition } from './log-stitch.js';
import { lookOnce, openClient } from './look.js';
import { isOver } from './render/run.js';

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
  const { items } = await lookOnce(context.config);
  const status = items.find((one) => one.owner === owner && one.item === item);
  if (status === undefined) throw new CommandFailed(`no item ${item} of ${owner} is known`);
  if (isOver(status)) {
    const where = owner === context.config.id ? 'it wrote nothing that came home' : `its output is at ${owner}`;
    context.say(`${item} is ${status.phase}; ${where}`);
    return owner === context.config.id && status.phase === 'done' ? EXIT.done : EXIT.failed;
  }
  throw new CommandFailed(
    `${item} is ${status.phase}; its output comes home when it has ended, "tritmesh logs -f ${item}" follows it`,
  );
}

async function followLogs(context: Context, { owner, item }: ItemReference): Promise<number> {
  const client = openClient(context.config);
  const job = followJob(client, owner, item);
  const printed = printLive(context, job);
  const over$ = job.status$.pipe(
    filter((status) => isOver(status)),
    map((status) => `${item} is ${status.phase}`),
  );
  const left$ = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM')).pipe(map(() => undefined));
  const ended = firstValueFrom(race(over$, left$));
  try {
    await Promise.race([client.connect((reason) => context.say(`${reason}; still trying`)), ended]);
    const sentence = await ended;
    if (sentence !== undefined) context.say(sentence);
    return EXIT.done;
  } finally {
    printed.unsubscribe();
    job.stop();
    await client.close();
  }
}

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
