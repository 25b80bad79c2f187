/** The jobs and machines of `makespan`, and the shortest time that they could take. Pure. */

/** A machine: a cgroup with a quota. */
export interface Machine {
  readonly name: string;
  /** CPUs that its quota allows. */
  readonly cpus: number;
  /** Jobs that it may run at the same time. */
  readonly slots: number;
  /** CPUs that its owner's own work takes when it is alone there. */
  readonly ownCpus: number;
}

/**
 * Lengths of processor-bound jobs, cpu-s: many short ones and a few long ones, `totalS` together. The same seed gives the
 * same lengths.
 */
export function drawLengths(count: number, totalS: number, seed: number): readonly number[] {
  const random = createRandom(seed);
  const parts = Array.from({ length: count }, () => SHORTEST + random() ** SKEW);
  const sum = parts.reduce((all, part) => all + part, 0);
  return parts.map((part) => (part * totalS) / sum);
}

/** Compared with the longest possible job, which is 1 longer. */
const SHORTEST = 0.1;
const SKEW = 3;

/** Numbers from 0 to below 1: mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The ideal makespan, s: all work, spread without any loss over what the owners' own work leaves free. Throws RangeError
 * if nothing is free.
 */
export function findIdeal(lengths: readonly number[], machines: readonly Machine[]): number {
  const free = machines.reduce((all, { cpus, ownCpus }) => all + Math.max(0, cpus - ownCpus), 0);
  if (free <= 0) throw new RangeError('no machine has a free cpu');
  return lengths.reduce((all, length) => all + length, 0) / free;
}

/** User and system time of the shell itself, s, from the output of its command `times`; NaN if it is something else. */
export function readTimes(text: string): number {
  const [, userMin, user, systemMin, system] = /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/m.exec(text) ?? [];
  return 60 * (Number(userMin) + Number(systemMin)) + Number(user) + Number(system);
}
