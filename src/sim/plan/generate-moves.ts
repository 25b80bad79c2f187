/**
 * Generates which items move by checkpoint, and when users request it. Some requests come while a move is under way.
 */
import type { Submission } from './plan.js';
import type { Random } from './random.js';

/** Share of items that can move by checkpoint. */
const MOVABLE = 0.3;

/** Adds moves by checkpoint to some of the items. */
export function generateMoves(random: Random, submissions: readonly Submission[]): Submission[] {
  return submissions.map((work) => (random.chance(MOVABLE) ? addMoves(random, work) : work));
}

function addMoves(random: Random, work: Submission): Submission {
  const takesMs = work.takesMs + random.between(2000, 25_000);
  let at = work.at + random.between(500, 4000);
  const moves: number[] = [];
  for (let left = random.between(1, 5); left > 0; left -= 1) {
    moves.push(at);
    at += random.chance(0.3) ? random.between(20, 1500) : random.between(1500, 12_000);
  }
  return { ...work, migrate: 'checkpoint', takesMs, moves };
}
