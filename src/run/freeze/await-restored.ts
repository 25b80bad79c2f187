/**
 * Waits until a copy is restored, and ends it when that takes past all measure: a criu whose image is torn never
 * returns, and what it made spins. With the box all of it ends, criu and its children alike.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.js';
import { NAMESPACE_FILES } from './pid-namespace.js';
import type { LiveRun, RunWatch } from '../run-watch.js';
import type { RunEvent } from '../runner.js';

/** How soon to look again, and how seldom at most. */
const LOOK_MS = 5;
const LOOK_MS_MAX = 100;
/** A restore may take this long, and as long again as its bytes need at this rate. */
const RESTORE_MS = 30_000;
const BYTES_PER_MS = 10_000;

/** Tells RunPrepared once the mark is there; the end of the box, whyever, is told by the watch. */
export function awaitRestored(
  clock: Clock,
  watch: RunWatch,
  live: LiveRun,
  imageBytes: number,
  tell: (event: RunEvent) => void,
): void {
  const { run, handle, directory } = live;
  const until = clock.now() + RESTORE_MS + imageBytes / BYTES_PER_MS;
  const look = (pauseMs: number): void => {
    if (watch.runs.get(run) !== live || live.isEnding) return;
    if (existsSync(join(directory, NAMESPACE_FILES.restored))) return tell({ type: 'RunPrepared', run, handle });
    if (clock.now() >= until) return watch.stop(live, 0, 'criu did not end in time');
    clock.scheduler.schedule(() => look(Math.min(2 * pauseMs, LOOK_MS_MAX)), pauseMs);
  };
  look(LOOK_MS);
}
