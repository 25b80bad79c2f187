/**
 * Calls the addresses of one peer side by side (RFC 8305): one after the other begins a quarter of a second apart, or
 * as soon as one before has failed, and the first connection that is good is taken. So addresses that lead nowhere cost
 * no more than that.
 */

/** Begins one connection; gives a function that ends it. `done` is called at most once. */
export type Dial<T> = (url: string, done: (error: Error | null, made?: T) => void) => () => void;

/** How the race went: who won, or why nobody did. */
export type RaceEnd<T> =
  | { readonly ok: true; readonly url: string; readonly made: T }
  | { readonly ok: false; readonly faults: readonly { readonly url: string; readonly error: Error }[] };

/** RFC 8305 §8: the recommended pause between attempts. */
export const RACE_STEP_MS = 250;

/** Runs the race over `urls` in their order; gives a function that calls it off. */
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
