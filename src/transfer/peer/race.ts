/**
 * Calls the addresses of one peer in parallel (RFC 8305): attempts start a quarter of a second apart, or as soon as
 * the previous one has failed, and the first good connection wins. An address that leads nowhere costs only that.
 */

/** Starts one connection; returns a function that ends it. `done` is called at most once. */
export type Dial<T> = (url: string, done: (error: Error | null, made?: T) => void) => () => void;

/** The result of a race: the winner, or why every address failed. */
export type RaceEnd<T> =
  | { readonly ok: true; readonly url: string; readonly made: T }
  | { readonly ok: false; readonly faults: readonly { readonly url: string; readonly error: Error }[] };

/** Connection Attempt Delay recommended by RFC 8305 §8. */
export const RACE_STEP_MS = 250;

/** Races over `urls` in their order; returns a function that cancels the race. */
export function raceConnect<T>(
  urls: readonly string[],
  dial: Dial<T>,
  stepMs: number,
  done: (end: RaceEnd<T>) => void,
): () => void {
  const waiting = [...urls];
  const running = new Map<string, () => void>();
  const faults: { url: string; error: Error }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;

  function stop(): void {
    isOver = true;
    clearTimeout(timer);
    for (const end of running.values()) end();
    running.clear();
  }

  function beginNext(): void {
    clearTimeout(timer);
    const url = waiting.shift();
    if (url === undefined) return;
    running.set(url, () => undefined);
    const end = dial(url, (error, made) => conclude(url, error, made));
    if (running.has(url)) running.set(url, end);
    if (!isOver && waiting.length > 0) timer = setTimeout(beginNext, stepMs);
  }

  function conclude(url: string, error: Error | null, made?: T): void {
    if (isOver) return;
    running.delete(url);
    if (error === null && made !== undefined) {
      stop();
      return done({ ok: true, url, made });
    }
    faults.push({ url, error: error ?? new Error('no connection') });
    if (waiting.length > 0) return beginNext();
    if (running.size > 0) return;
    isOver = true;
    done({ ok: false, faults });
  }

  beginNext();
  return stop;
}
