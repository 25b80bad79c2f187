/**
 * Stays with a submitted item until it ends: reports its steps, writes its output, and cancels it at the first Ctrl-C.
 * The second Ctrl-C stops waiting. Whichever comes first, the end of the item or an interrupt, decides the exit code.
 */
import { join } from 'node:path';
import {
  distinctUntilChanged,
  filter,
  firstValueFrom,
  fromEvent,
  map,
  merge,
  race,
  skipWhile,
  take,
  throttleTime,
} from 'rxjs';
import { describeError } from '../../os/errors.js';
import type { Item } from '../../protocol/item.js';
import type { Status } from '../../protocol/status.js';
import type { Client } from '../../compose/client.js';
import type { RequestClient } from '../request/request-client.js';
import { awaitEnd, type JobEnd } from './await-end.js';
import { printJson, type Context } from '../context.js';
import { describeNoPath } from './direct-path.js';
import { EXIT } from '../failure.js';
import type { FollowedJob } from './follow-job.js';
import { createJobOutput, type JobOutput } from './job-output.js';
import { openJobStreams, type JobStreams } from './job-sink.js';
import {
  describeCost,
  describeEnd,
  describeLeft,
  describeProgress,
  describeStep,
  describeStuck,
  exitCodeOf,
  isOver,
} from '../render/run.js';
import type { Handover } from '../thin/handover.js';
import type { ReadingReporter } from './report-reading.js';

/** The item to stay with, and how to report it. */
export interface AttachOptions {
  readonly client: Pick<Client, 'bus' | 'clock'>;
  readonly item: Item;
  /** Report each step on stderr. */
  readonly verbose: boolean;
  /** Is informed of how far the output has been read. */
  readonly reading: ReadingReporter;
  /** What the thin path has done already. */
  readonly handover?: Handover | undefined;
}

/** Requests to the item's owner: with a long timeout for those that change something, a short one for its status. */
export interface RequestClients {
  readonly requests: RequestClient;
  readonly statusRequests: RequestClient;
}

/** The progress of file transfers is reported at most this often, ms. */
const PROGRESS_MS = 1000;

/** Stays until the item ends or the user leaves; resolves with the exit code of `tritmesh run`. */
export async function attachToJob(
  context: Context,
  { requests, statusRequests }: RequestClients,
  job: FollowedJob,
  { client, item, verbose, reading, handover }: AttachOptions,
): Promise<number> {
  const streams = openJobStreams(handover?.isUnread());
  const output = createJobOutput(
    { ...streams, note: (text) => context.report(`${job.item}: ${text}`) },
    handover?.positions,
  );
  const steps = verbose ? reportSteps(context, job, handover?.lastStep) : undefined;
  const warnings = reportNoPath(context, job);
  // With --json, stdout is one document: the output of the job stays in its files.
  const written = context.json
    ? undefined
    : job.log$.subscribe((log) => {
        output.write(log);
        streams.taken(log.stream, () => reading.read(log));
      });
  const over = awaitEnd({
    client,
    requests: statusRequests,
    job,
    report: context.report,
    isVerbose: verbose,
    now: handover !== undefined,
  }).pipe(map((end) => () => finish(context, item, end, output, verbose)));
  try {
    const ended = firstValueFrom(
      race(over, watchInterrupts(context, requests, job), watchReader(requests, job, streams)),
    );
    handover?.raiseSignals();
    const end = await ended;
    written?.unsubscribe();
    steps?.unsubscribe();
    warnings.unsubscribe();
    reading.stop();
    return await end();
  } finally {
    written?.unsubscribe();
    steps?.unsubscribe();
    warnings.unsubscribe();
    reading.stop();
  }
}

/** Warns once per receiver that has no direct path to the owner: an outage of the broker would end the job there. */
function reportNoPath(context: Context, job: FollowedJob): { unsubscribe(): void } {
  return job.status$
    .pipe(
      map((status) => describeNoPath(job.item, job.owner, status)),
      filter((sentence) => sentence !== undefined),
      distinctUntilChanged(),
    )
    .subscribe(context.report);
}

function reportSteps(context: Context, job: FollowedJob, lastStep: string | undefined): { unsubscribe(): void } {
  const step$ = job.status$.pipe(
    // The end is reported after the output has been written.
    filter((status) => !isOver(status)),
    map((status) => describeStep(job.item, status)),
    skipWhile((step) => step === lastStep),
  );
  const progress$ = job.progress$.pipe(
    map((progress) => describeProgress(job.item, progress)),
    filter((line) => line !== undefined),
    throttleTime(PROGRESS_MS, undefined, { leading: true, trailing: true }),
  );
  return merge(step$.pipe(distinctUntilChanged()), progress$).subscribe(context.report);
}

/** Emits when nobody reads the output any more (`| head`): the job is cancelled, as SIGPIPE would end it in a shell. */
function watchReader(requests: RequestClient, job: FollowedJob, { broken$ }: JobStreams) {
  return broken$.pipe(
    take(1),
    map(() => async () => {
      // If the node does not answer, it still ends the job once its output has not been read for long.
      await requests.send('cancel', { item: job.item }).catch(() => undefined);
      return EXIT.unread;
    }),
  );
}

/** Emits at the second Ctrl-C, which stops waiting. The first one cancels the item. */
function watchInterrupts(context: Context, requests: RequestClient, job: FollowedJob) {
  const interrupt$ = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM'));
  return interrupt$.pipe(
    take(2),
    filter((_signal, count) => {
      if (count > 0) return true;
      context.report(`cancelling ${job.item}; press Ctrl-C again to stop waiting for it`);
      requests.send('cancel', { item: job.item }).catch((error: unknown) => {
        context.report(describeError(error));
      });
      return false;
    }),
    map(() => async () => {
      context.report(describeLeft(job.item));
      return EXIT.cancelled;
    }),
  );
}

function reportStuck(context: Context, { id: item }: Item, status: Status): number {
  const directory = join(context.config.state_dir, 'items', item);
  if (context.json) printJson(context, { owner: context.config.id, item, ...status, directory });
  context.report(describeStuck(item, status));
  return EXIT.unknown;
}

async function finish(context: Context, item: Item, end: JobEnd, output: JobOutput, verbose: boolean): Promise<number> {
  if (end.type === 'forgotten') {
    context.report(`the outcome of ${item.id} is unknown: ${end.reason}`);
    return EXIT.unknown;
  }
  if (end.type === 'stuck') return reportStuck(context, item, end.status);
  const { status } = end;
  const directory = join(context.config.state_dir, 'items', item.id);
  if (context.json) {
    printJson(context, { owner: context.config.id, item: item.id, ...status, directory });
  } else if (status.phase === 'done') {
    await output.finish(status.epoch, directory);
  }
  const sentence = describeEnd(item.id, item.command.argv[0] ?? '', status);
  if (sentence !== undefined) context.report(sentence);
  if (verbose) context.report(describeCost(item.id, status));
  return exitCodeOf(status);
}
