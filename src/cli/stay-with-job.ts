/**
 * Stays with a submitted item until it is over: shows its steps, writes its output, and cancels it at the first Ctrl-C. The
 * second Ctrl-C leaves it running. What ends first, the item or the person's patience, gives the exit code.
 */
import { join } from 'node:path';
import { distinctUntilChanged, filter, firstValueFrom, fromEvent, map, merge, race, take, throttleTime } from 'rxjs';
import type { Item } from '../protocol/item.js';
import type { Status } from '../protocol/status.js';
import type { Asker } from './ask.js';
import { printJson, type Context } from './context.js';
import { EXIT } from './failure.js';
import type { FollowedJob } from './follow-job.js';
import { createJobOutput, type JobOutput } from './job-output.js';
import { describeCost, describeEnd, describeProgress, describeStep, exitCodeOf, isOver } from './render/run.js';

/** How to stay. */
export interface StayOptions {
  readonly item: Item;
  /** Tell each step on stderr. */
  readonly verbose: boolean;
}

/** Progress of files is told this often. */
const PROGRESS_MS = 1000;

/** Stays; gives the exit code of `tritmesh run`. */
export async function stayWithJob(
  context: Context,
  asker: Asker,
  job: FollowedJob,
  { item, verbose }: StayOptions,
): Promise<number> {
  const output = createJobOutput({
    write: (stream, bytes) => void process[stream].write(bytes),
    note: (text) => context.say(`${job.item}: ${text}`),
  });
  const told = verbose ? tellSteps(context, job) : undefined;
  // With --json stdout is one document: the output stays in its files.
  const written = context.json ? undefined : job.log$.subscribe((log) => output.hear(log));
  const over = job.status$.pipe(
    filter((status) => isOver(status)),
    map((status) => () => finish(context, item, status, output, verbose)),
  );
  try {
    const end = await firstValueFrom(race(over, watchInterrupts(context, asker, job)));
    written?.unsubscribe();
    told?.unsubscribe();
    return await end();
  } finally {
    written?.unsubscribe();
    told?.unsubscribe();
  }
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

async function finish(
  context: Context,
  item: Item,
  status: Status,
  output: JobOutput,
  verbose: boolean,
): Promise<number> {
  const directory = join(context.config.state_dir, 'items', item.item);
  if (context.json) {
    printJson(context, { owner: context.config.id, item: item.item, ...status, directory });
  } else if (status.phase === 'done') {
    await output.finish(status.epoch, directory);
  }
  const end = describeEnd(item.item, item.command.argv[0] ?? '', status);
  if (end !== undefined) context.say(end);
  if (verbose) context.say(describeCost(item.item, status));
  return exitCodeOf(status);
}
