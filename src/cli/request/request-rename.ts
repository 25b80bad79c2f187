/** Repeats the request to rename a running node until no work stands in the way. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../clock/clock.js';
import { RequestFailed, type RequestFault, type RequestClient } from './request-client.js';
import { listWaits, readWaits } from '../render/rename.js';

/** A rename in progress. */
export interface RenameRequest {
  readonly requests: RequestClient;
  readonly from: string;
  readonly to: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly report: (text: string) => void;
  /** Waits between two requests, ms; default: a timer that does not keep the process alive. */
  readonly pause?: (ms: number) => Promise<void>;
  /** Set by the caller once the node is back under its new id, or the user gave up: no more requests are sent. */
  isOver: boolean;
}

/** The request is repeated this often, ms: a node drops a rename that is not repeated. */
const REPEAT_MS = 2000;
/** How long a node that has answered may be away, ms: it may be restarting. */
const AWAY_MS = 90_000;
const AWAY: ReadonlySet<RequestFault> = new Set(['offline', 'unknown', 'silent', 'unsent']);

/**
 * Repeats the request until nothing is left or `isOver` is set, and reports what is left whenever that changes. The
 * node stops on its own once nothing is left, and answers no more: after its first answer, only a long absence rejects
 * (RequestFailed).
 */
export async function requestUntilReady(rename: RenameRequest): Promise<void> {
  const { requests, from, to, clock, pause = sleepUnreferenced } = rename;
  let reported = '';
  let answeredAt: number | undefined;
  while (!rename.isOver) {
    try {
      const waits = readWaits((await requests.send('rename', { to })).data);
      answeredAt = clock.now();
      const text = listWaits(from, waits);
      if (text !== reported) rename.report(text);
      reported = text;
      if (waits.count === 0) return;
    } catch (error) {
      if (answeredAt === undefined || !isAway(error) || clock.now() - answeredAt > AWAY_MS) throw error;
    }
    await pause(REPEAT_MS);
  }
}

function sleepUnreferenced(ms: number): Promise<void> {
  return sleep(ms, undefined, { ref: false });
}

function isAway(error: unknown): boolean {
  return error instanceof RequestFailed && AWAY.has(error.fault);
}
