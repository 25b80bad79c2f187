/**
 * Waits until a copy is restored, and kills it when that takes too long: with a truncated image criu never returns,
 * and the processes it created spin. Killing the pid namespace ends criu and all of its children.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.js';
import { NAMESPACE_FILES } from './pid-namespace.js';
import type { LiveRun } from '../live-run.js';
import type { RunWatch } from '../run-watch.js';
import type { RunEvent } from '../runner.js';

/** First and longest pause between checks. */
const LOOK_MS = 5;
const LOOK_MS_MAX = 100;
/** Time limit of a restore: this, plus the time for its image at this rate (10 MB/s). */
const RESTORE_MS = 30_000;
const BYTES_PER_MS = 10_000;

/**
 * Emits RunPrepared once the `restored` file exists. The watch reports the end of the pid namespace, whatever its
 * cause.
 */
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
