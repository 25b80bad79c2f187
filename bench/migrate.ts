/**
 * `migrate`: how long a running process is frozen, and how long its move takes in total, depending on its memory. The
 * baseline, in turns, is the same program moved by hand with criu and cp. `away` is from its owner to another node,
 * `home` is back. Both nodes are on one machine, so the network between them costs next to nothing.
 */
import { fileURLToPath } from 'node:url';
import { createCheckpoint } from '../src/checkpoint/create-checkpoint.js';
import type { Capabilities } from '../src/checkpoint/checkpoint.js';
import { closeInherited } from '../src/os/inherited-descriptors.js';
import { startBroker } from './setup/brokers.js';
import { moveByHand, type MoveByHand, type MoveTimes } from './setup/move-by-hand.js';
import { startMovers, type Way } from './setup/movers.js';
import type { Scratch } from './setup/scratch.js';
import { quantile, round, type Figure } from './measure/figure.js';

const HOLDER = fileURLToPath(new URL('./setup/holder.mjs', import.meta.url));
const MIB = 1024 * 1024;
/** MiB that the program fills, and the number of rounds, each with a move by hand, one away and one home. */
const SIZES: readonly (readonly [size: number, rounds: number])[] = [
  [10, 5],
  [100, 5],
  [1000, 3],
];

/** Runs the benchmark; yields two figures for each size. */
export async function* measureMigrate(scratch: Scratch): AsyncGenerator<Figure> {
  const capabilities = await new Promise<Capabilities>((resolve) =>
    createCheckpoint({ criu: '' }).capabilities(resolve),
  );
  if (!capabilities.usable) return console.error(`skipped: migrate needs criu and root: ${capabilities.reason}`);
  // Descriptors that this process inherited would be in the holder, too, and in its image.
  closeInherited();
  const moveJob = await startMovers(scratch, await startBroker(scratch, 'aedes'));
  for (const [size, rounds] of SIZES) {
    const holder = (gate: string): readonly string[] => [process.execPath, HOLDER, String(size), gate];
    const floors: MoveByHand[] = [];
    const moves: Readonly<Record<Way, MoveTimes[]>> = { away: [], home: [] };
    for (let turn = 1; turn <= rounds; turn += 1) {
      console.error(`migrate: ${size} MiB, round ${turn} of ${rounds}`);
      floors.push(await moveByHand(scratch, capabilities.criu, holder));
      for (const way of WAYS) moves[way].push(await moveJob(way, holder));
    }
    for (const way of WAYS) yield describeMoves(size, way, moves[way], floors);
  }
}

const WAYS = ['away', 'home'] as const;

function describeMoves(size: number, way: Way, moves: readonly MoveTimes[], floors: readonly MoveByHand[]): Figure {
  const moved = findMedians(moves);
  const floor = findMedians(floors);
  return {
    bench: 'migrate',
    memory_mib: size,
    image_mib: round((floors[0]?.imageBytes ?? Number.NaN) / MIB),
    way,
    moves: moves.length,
    freeze_ms: round(moved.freezeMs),
    floor_freeze_ms: round(floor.freezeMs),
    freeze_ratio: round(moved.freezeMs / floor.freezeMs),
    total_ms: round(moved.totalMs),
    floor_total_ms: round(floor.totalMs),
    total_ratio: round(moved.totalMs / floor.totalMs),
  };
}

function findMedians(moves: readonly MoveTimes[]): MoveTimes {
  const median = (key: keyof MoveTimes): number =>
    quantile(
      moves.map((move) => move[key]),
      0.5,
    );
  return { freezeMs: median('freezeMs'), totalMs: median('totalMs') };
}
