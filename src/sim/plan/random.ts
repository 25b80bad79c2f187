/**
 * The only source of randomness in a simulation: the same seed gives the same numbers on every machine. Streams that
 * are split off do not affect each other, so that removing one fault leaves the rest of a run as it was.
 */

/** A stream of random numbers. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** An integer from `low` to `high`, inclusive. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  /** Exponentially distributed with this mean. */
  exponential(mean: number): number;
  /** Pareto distributed: heavy-tailed, never below `least`. */
  pareto(least: number, shape: number): number;
  /** An independent stream, determined by the seed and this name. */
  split(name: string): Random;
}

/** Creates the stream of a seed. */
export function createRandom(seed: number | string): Random {
  let state = hashText(String(seed));

  // splitmix32: short, and good enough for neighbouring seeds to have nothing in common.
  function next(): number {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000;
  }

  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (probability) => next() < probability,
    pick: (choices) => {
      const choice = choices[Math.floor(next() * choices.length)];
      if (choice === undefined) throw new RangeError('nothing to pick from');
      return choice;
    },
    exponential: (mean) => -mean * Math.log(1 - next()),
    pareto: (least, shape) => least / (1 - next()) ** (1 / shape),
    split: (name) => createRandom(`${seed}/${name}`),
  };
}

function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
