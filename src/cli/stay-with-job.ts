/**
 * Stays with a submitted item until it is over: shows its steps, writes its output, and cancels it at the first Ctrl-C. The
 * second Ctrl-C leaves it running. What ends first, the item or the person's patience, gives the exit code.
 */
import { join } from 'node:path';
import { distinctUntilChanged, filter, firstValueFrom, fromEvent, map, merge, race, take, throttleTime } from 'rxjs';
import type { Item } from '../protocol/item.js';
import type { Status } from '../protocol/status.js';
import type { Client } from '../compose-client.js';
import type { Asker } from './ask.js';
import { awaitEnd, type JobEnd } from './await-end.js';
import { printJson, type Context } from './context.js';
import { describeNoPath } from './direct-path.js';
import { EXIT } from './failure.js';
import type { FollowedJob } from './follow-job.js';
import { createJobOutput, type JobOutput } from './job-output.js';
import { openJobStreams, type JobStreams } from './job-sink.js';
import {
  describeCost,
  describeEnd,
  describeProgress,
  describeStep,
  describeStuck,
  exitCodeOf,
  isOver,
} from './render/run.js';
import type { ReadingTeller } from './tell-reading.js';

/** How to stay. */
export interface StayOptions {
  readonly client: Pick<Client, 'bus' | 'clock'>;
  readonly item: Item;
  /** Tell each step on stderr. */
  readonly verbose: boolean;
  /** Told what has been read of its output. */
  readonly reading: ReadingTeller;
}

/** Two ways to ask the item's owner: with patience for what changes something, with little for a look. */
export interface Askers {
  readonly asker: Asker;
  readonly looker: Asker;
}

/** Progress of files is told this often. */
const PROGRESS_MS = 1000;

/** Stays; gives the exit code of `tritmesh run`. */
export async function stayWithJob(
  context: Context,
  { asker, looker }: Askers,
  job: FollowedJob,
  { client, item, verbose, reading }: StayOptions,
): Promise<number> {
  const streams = openJobStreams();
  const output = createJobOutput({
    ...streams,
    note: (text) => context.say(`${job.item}: ${text}`),
  });
  const told = verbose ? tellSteps(context, job) : undefined;
  const warned = tellNoPath(context, job);
  // With --json stdout is one document: the output stays in its files.
  const written = context.json
    ? undefined
    : job.log$.subscribe((log) => {
        output.hear(log);
        streams.taken(log.stream, () => reading.read(log));
      });
  const over = awaitEnd({ client, asker: looker, job, say: context.say, isTold: verbose }).pipe(
    map((end) => () => finish(context, item, end, output, verbose)),
  );
  try {
    const end = await firstValueFrom(
      race(over, watchInterrupts(context, asker, job), watchReader(asker, job, streams)),
    );
    written?.unsubscribe();
    told?.unsubscribe();
    warned.unsubscribe();
    reading.stop();
    return await end();
  } finally {
    written?.unsubscribe();
    told?.unsubscribe();
    warned.unsubscribe();
    reading.stop();
  }
}

/** Once for each receiver: an outage would end it there. */
function tellNoPath(context: Context, job: FollowedJob): { unsubscribe(): void } {
  return job.status$
    .pipe(
      map((status) => describeNoPath(job.item, job.owner, status)),
      filter((sentence) => sentence !== undefined),
      distinctUntilChanged(),
    )
    .subscribe(context.say);
}

function tellSteps(context: Context, job: FollowedJob): { unsubscribe(): void } {
  const step$ = job.status$.pipe(
    // The end is told when the output has been written.
    filter((status) => !isOver(status)),
    map((status) => describeStep(job.item, status)),
  );
  const progress$ = job.progress$.pipe(
    map((progress) => describeProgress(job.item, progress)),
    filter((line) => line !== undefined),
    throttleTime(PROGRESS_MS, undefined, { leading: true, trailing: true }),
  );
  return merge(step$.pipe(distinctUntilChanged()), progress$).subscribe(context.say);
}

/** Emits when nobody reads the output any more (`| head`): the job is taken back, as a shell would end it by SIGPIPE. */
function watchReader(asker: Asker, job: FollowedJob, { broken$ }: JobStreams) {
  return broken$.pipe(
    take(1),
    map(() => async () => {
      // Where the node does not answer, the job is ended all the same when nobody reads it for long.
      await asker.ask('cancel', { item: job.item }).catch(() => undefined);
      return EXIT.unread;
    }),
  );
}

/** Emits when the person leaves: at the second Ctrl-C. The first one cancels the item. */
function watchInterrupts(context: Context, asker: Asker, job: FollowedJob) {
  const interrupt$ = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM'));
  return interrupt$.pipe(
    take(2),
    filter((_signal, count) => {
      if (count > 0) return true;
      context.say(`cancelling ${job.item}; Ctrl-C again leaves it as it is`);
      asker.ask('cancel', { item: job.item }).catch((error: unknown) => {
        context.say(error instanceof Error ? error.message : String(error));
      });
      return false;
    }),
    map(() => async () => {
      context.say(`left ${job.item}; look at it with: tritmesh items, tritmesh logs -f ${job.item}`);
      return EXIT.cancelled;
    }),
  );
}

function leaveStuck(context: Context, { item }: Item, status: Status): number {
  const directory = join(context.config.state_dir, 'items', item);
  if (context.json) printJson(context, { owner: context.config.id, item, ...status, directory });
  context.say(describeStuck(item, status));
  return EXIT.unknown;
}

async function finish(context: Context, item: Item, end: JobEnd, output: JobOutput, verbose: boolean): Promise<number> {
  if (end.type === 'forgotten') {
    context.say(`what became of ${item.item} is not known: ${end.reason}`);
    return EXIT.unknown;
  }
  if (end.type === 'stuck') return leaveStuck(context, item, end.status);
  const { status } = end;
  const directory = join(context.config.state_dir, 'items', item.item);
  if (context.json) {
    printJson(context, { owner: context.config.id, item: item.item, ...status, directory });
  } else if (status.phase === 'done') {
    await output.finish(status.epoch, directory);
  }
  const sentence = describeEnd(item.item, item.command.argv[0] ?? '', status);
  if (sentence !== undefined) context.say(sentence);
  if (verbose) context.say(describeCost(item.item, status));
  return exitCodeOf(status);
}
