/**
 * Draws which items move as they are, and when people ask for it. Some are asked for again while a move is under way.
 */
import type { Submission } from './plan.js';
import type { Random } from './random.js';

/** Of the items, how many can be frozen. */
const MOVABLE = 0.3;

/** Gives some of the items moves by checkpoint. */
export function drawMoves(random: Random, submissions: readonly Submission[]): Submission[] {
  return submissions.map((work) => (random.chance(MOVABLE) ? letMove(random, work) : work));
}

function letMove(random: Random, work: Submission): Submission {
  const takesMs = work.takesMs + random.between(2000, 25_000);
  let at = work.at + random.between(500, 4000);
  const moves: number[] = [];
  for (let left = random.between(1, 5); left > 0; left -= 1) {
    moves.push(at);
    at += random.chance(0.3) ? random.between(20, 1500) : random.between(1500, 12_000);
  }
  return { ...work, migrate: 'checkpoint', takesMs, moves };
}
