/**
 * How long the mesh takes to agree: from the time a node publishes a new trit until every node derives the true sum.
 */

/** Observes trits and sums. Times in ms. */
export interface Convergence {
  tritPublished(node: string, trit: number, at: number): void;
  sumDerived(node: string, sum: number, at: number): void;
  /** For each change of a trit on which all nodes have agreed since: how long that took. */
  readonly tookMs: readonly number[];
}

/** Creates an empty record. */
export function createConvergence(): Convergence {
  const trits = new Map<string, number>();
  const sums = new Map<string, number>();
  const pending: number[] = [];
  const tookMs: number[] = [];
  let truth = 0;
  let wrong = 0;

  function tritPublished(node: string, trit: number, at: number): void {
    const before = trits.get(node) ?? 0;
    trits.set(node, trit);
    if (trit === before) return;
    truth += trit - before;
    wrong = 0;
    for (const sum of sums.values()) if (sum !== truth) wrong += 1;
    pending.push(at);
    recordAgreement(at);
  }

  function sumDerived(node: string, sum: number, at: number): void {
    const before = sums.get(node);
    if (before !== undefined && before !== truth) wrong -= 1;
    if (sum !== truth) wrong += 1;
    sums.set(node, sum);
    recordAgreement(at);
  }

  function recordAgreement(at: number): void {
    if (wrong > 0) return;
    for (const since of pending.splice(0)) tookMs.push(at - since);
  }

  return { tritPublished, sumDerived, tookMs };
}
