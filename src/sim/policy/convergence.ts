/**
 * How long the mesh takes to agree: from the moment a node says another trit until every node derives the true sum.
 */

/** Watches trits and sums. Times in ms. */
export interface Convergence {
  tritSaid(node: string, trit: number, at: number): void;
  sumDerived(node: string, sum: number, at: number): void;
  /** For each change of a trit so far that all came to know of: how long that took. */
  readonly tookMs: readonly number[];
}

/** Makes a watch over nothing. */
export function watchConvergence(): Convergence {
  const trits = new Map<string, number>();
  const sums = new Map<string, number>();
  const pending: number[] = [];
  const tookMs: number[] = [];
  let truth = 0;
  let wrong = 0;

  function tritSaid(node: string, trit: number, at: number): void {
    const before = trits.get(node) ?? 0;
    trits.set(node, trit);
    if (trit === before) return;
    truth += trit - before;
    wrong = 0;
    for (const sum of sums.values()) if (sum !== truth) wrong += 1;
    pending.push(at);
    settle(at);
  }

  function sumDerived(node: string, sum: number, at: number): void {
    const before = sums.get(node);
    if (before !== undefined && before !== truth) wrong -= 1;
    if (sum !== truth) wrong += 1;
    sums.set(node, sum);
    settle(at);
  }

  function settle(at: number): void {
    if (wrong > 0) return;
    for (const since of pending.splice(0)) tookMs.push(at - since);
  }

  return { tritSaid, sumDerived, tookMs };
}
