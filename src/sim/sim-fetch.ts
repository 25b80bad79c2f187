/**
 * How a simulated fetch waits: a peer that cannot be called is told of after a while, and the fetch stays open for a push, as the real one
 * does. It knows nothing of shares and files.
 */
import type { Bundle, Ended, FetchOrder, Fetched } from '../transfer/transfer.js';
import type { Host } from './host.js';

/** A fetch under way, that a peer may push into. */
export interface SimIntake {
  readonly order: FetchOrder;
  /** Takes what a peer brings; false when it is not what is waited for. */
  take(bundle: Bundle): boolean;
}

/** What one attempt to fetch came to; `silent` and `refused`: there was no connection. */
export type Attempt = Ended<Fetched> | 'silent' | 'refused';

/** What a fetch is made of. */
export interface SimFetchParts {
  readonly host: Host;
  readonly life: number;
  readonly order: FetchOrder;
  readonly intakes: Map<string, SimIntake>;
  attempt(): Attempt;
  store(bundle: Bundle): Ended<Fetched>;
  delayMs(): number;
}

/** A call that nobody answers, and how long a fetch stays open after that, ms: see `transfer/fetch-order.ts`. */
export const SILENCE_MS = 4000;
const PUSH_WAIT_MS = 7000;
const PAUSE_MS = 1000;

/** Fetches; gives a function that abandons it. */
export function fetchOrWait(parts: SimFetchParts, done: (ended: Ended<Fetched>) => void): () => void {
  const { host, life, order, intakes } = parts;
  let isOver = false;
  let waitsUntil: number | undefined;

  function close(): boolean {
    if (isOver) return false;
    isOver = true;
    if (intakes.get(order.share) === intake) intakes.delete(order.share);
    return true;
  }

  function end(ended: Ended<Fetched>): void {
    if (close()) done(ended);
  }

  const intake: SimIntake = {
    order,
    take: (bundle) => {
      if (isOver || bundle.sha256 !== order.sha256) return false;
      host.enter(life, () => end(parts.store(bundle)));
      return true;
    },
  };

  function tryIt(): void {
    if (isOver) return;
    const attempt = parts.attempt();
    if (typeof attempt !== 'string') return end(attempt);
    host.after(life, attempt === 'silent' ? SILENCE_MS : 0, () => wait(attempt));
  }

  function wait(fault: 'silent' | 'refused'): void {
    if (isOver) return;
    const reason = `${order.urls.join(', ')}: ${fault === 'silent' ? 'no answer' : 'connection refused'}`;
    const isFirst = waitsUntil === undefined;
    waitsUntil ??= host.now() + PUSH_WAIT_MS;
    if (isFirst) order.onUnreached?.(reason);
    if (order.onUnreached === undefined || host.now() >= waitsUntil)
      return end({ ok: false, reason, final: false, unreached: true });
    host.after(life, PAUSE_MS, tryIt);
  }

  intakes.set(order.share, intake);
  host.after(life, parts.delayMs(), tryIt);
  return () => void close();
}
