/** What a world is put through: drawn by fast-check, so that a failure shrinks to a small one. */
import * as fc from 'fast-check';

/** A node that dies and comes back. Times in ms. */
export interface Crash {
  readonly node: string;
  readonly at: number;
  readonly downMs: number;
}

/** One world's fate. */
export interface Plan {
  readonly seed: number;
  readonly retry: 'rerun' | 'once';
  readonly attempts: number;
  /** With inputs the item is staged and fetched; with outputs it comes home. */
  readonly inputs: boolean;
  readonly outputs: boolean;
  readonly restartable: boolean;
  readonly runMs: number;
  readonly dropPercent: number;
  readonly twicePercent: number;
  /** Longest delay of the one message in six that is late while faults last. */
  readonly delayMs: number;
  readonly crashes: readonly Crash[];
  readonly cancelAt: number | undefined;
  readonly moveAt: number | undefined;
}

/** Faults last this long; then everything is well. */
export const FAULTS_MS = 30_000;
export const RECEIVERS: readonly string[] = ['beta', 'gamma', 'delta'];

const moment = fc.integer({ min: 1, max: FAULTS_MS });

/** Any fate. */
export const anyPlan: fc.Arbitrary<Plan> = fc.record({
  seed: fc.integer({ min: 0, max: 0x7fffffff }),
  retry: fc.constantFrom('rerun', 'once'),
  attempts: fc.integer({ min: 1, max: 5 }),
  inputs: fc.boolean(),
  outputs: fc.boolean(),
  restartable: fc.boolean(),
  runMs: fc.integer({ min: 1, max: 15_000 }),
  dropPercent: fc.integer({ min: 0, max: 60 }),
  twicePercent: fc.integer({ min: 0, max: 40 }),
  delayMs: fc.integer({ min: 1, max: 12_000 }),
  crashes: fc.array(
    fc.record({
      node: fc.constantFrom('alpha', ...RECEIVERS),
      at: moment,
      downMs: fc.integer({ min: 1, max: 12_000 }),
    }),
    { maxLength: 6 },
  ),
  cancelAt: fc.option(moment, { nil: undefined, freq: 3 }),
  moveAt: fc.option(moment, { nil: undefined, freq: 2 }),
});
