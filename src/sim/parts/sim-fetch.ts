/**
 * How a simulated fetch waits. Like the real one, it reports after a while that a peer cannot be called, and stays open
 * for a push. It knows nothing about shares and files.
 */
import type { Bundle, Outcome, FetchRequest, Fetched } from '../../transfer/transfer.js';
import type { MachinePower } from './machine-power.js';

/** A fetch under way, into which a peer may push. */
export interface SimIntake {
  readonly request: FetchRequest;
  /** Accepts a pushed bundle; false if it is not the expected one. */
  take(bundle: Bundle): boolean;
}

/** The outcome of one attempt to fetch; `silent` and `refused` if there was no connection. */
export type Attempt = Outcome<Fetched> | 'silent' | 'refused';

/** Dependencies of one fetch. */
export interface SimFetchDeps {
  readonly host: MachinePower;
  readonly boot: number;
  readonly request: FetchRequest;
  readonly intakes: Map<string, SimIntake>;
  attempt(): Attempt;
  store(bundle: Bundle): Outcome<Fetched>;
  delayMs(): number;
}

/**
 * A call without an answer fails after this time, ms. A fetch then stays open for a push as in
 * `src/transfer/share/fetch-share.ts`.
 */
export const CONNECT_TIMEOUT_MS = 4000;
const PUSH_WAIT_MS = 7000;
const RETRY_EVERY_MS = 1000;

/** Fetches, or waits for a push. Returns the function that abandons it. */
export function fetchOrWait(deps: SimFetchDeps, done: (ended: Outcome<Fetched>) => void): () => void {
  const { host, boot, request, intakes } = deps;
  let isOver = false;
  let waitsUntil: number | undefined;

  function close(): boolean {
    if (isOver) return false;
    isOver = true;
    if (intakes.get(request.share) === intake) intakes.delete(request.share);
    return true;
  }

  function end(ended: Outcome<Fetched>): void {
    if (close()) done(ended);
  }

  const intake: SimIntake = {
    request,
    take: (bundle) => {
      if (isOver || bundle.sha256 !== request.sha256) return false;
      host.enter(boot, () => end(deps.store(bundle)));
      return true;
    },
  };

  function tryOnce(): void {
    if (isOver) return;
    const attempt = deps.attempt();
    if (typeof attempt !== 'string') return end(attempt);
    host.after(boot, attempt === 'silent' ? CONNECT_TIMEOUT_MS : 0, () => wait(attempt));
  }

  function wait(fault: 'silent' | 'refused'): void {
    if (isOver) return;
    const reason = `${request.urls.join(', ')}: ${fault === 'silent' ? 'no answer' : 'connection refused'}`;
    const isFirst = waitsUntil === undefined;
    waitsUntil ??= host.now() + PUSH_WAIT_MS;
    if (isFirst) request.onUnreached?.(reason);
    if (request.onUnreached === undefined || host.now() >= waitsUntil)
      return end({ ok: false, reason, final: false, unreached: true });
    host.after(boot, RETRY_EVERY_MS, tryOnce);
  }

  intakes.set(request.share, intake);
  host.after(boot, deps.delayMs(), tryOnce);
  return () => void close();
}
