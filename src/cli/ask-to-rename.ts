/** Asks a node to go by another id until nothing is left that stands in the way. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock/clock.js';
import { AskFailed, type AskFault, type Asker } from './ask.js';
import { listWaits, readWaits } from './render/rename.js';

/** What a node is asked for. */
export interface RenameWish {
  readonly asker: Asker;
  readonly from: string;
  readonly to: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly say: (text: string) => void;
  /** Waits between two questions, ms; default: real time, which keeps no process alive. */
  readonly pause?: (ms: number) => Promise<void>;
  /** The node is there under its new id, or the person gave up: nothing is asked any more. */
  isOver: boolean;
}

/** The wish is said again so often, ms: the node forgets it when nobody does. */
const AGAIN_MS = 2000;
/** A node that has answered may be away so long, ms: it starts again. */
const AWAY_MS = 90_000;
const AWAY: ReadonlySet<AskFault> = new Set(['offline', 'unknown', 'silent', 'unsent']);

/**
 * Says the wish again and again until nothing is left or it is over, and tells what is left whenever that changes. The node leaves by
 * itself once nothing is left, and answers no more: after its first answer, only one that is away for long rejects, with AskFailed.
 */
export async function askUntilReady(wish: RenameWish): Promise<void> {
  const { asker, from, to, clock, pause = sleepUnreferenced } = wish;
  let said = '';
  let answeredAt: number | undefined;
  while (!wish.isOver) {
    try {
      const waits = readWaits((await asker.ask('rename', { to })).data);
      answeredAt = clock.now();
      const text = listWaits(from, waits);
      if (text !== said) wish.say(text);
      said = text;
      if (waits.count === 0) return;
    } catch (error) {
      if (answeredAt === undefined || !isAway(error) || clock.now() - answeredAt > AWAY_MS) throw error;
    }
    await pause(AGAIN_MS);
  }
}

function sleepUnreferenced(ms: number): Promise<void> {
  return sleep(ms, undefined, { ref: false });
}

function isAway(error: unknown): boolean {
  return error instanceof AskFailed && AWAY.has(error.fault);
}
