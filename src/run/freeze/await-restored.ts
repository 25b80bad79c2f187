/**
 * Waits until a copy is restored, and kills it when that takes too long: with a truncated image criu never returns,
 * and the processes it created spin. Killing the pid namespace ends criu and all of its children.
 */
import { existsSync, watch as watchFiles } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.js';
import { NAMESPACE_FILES } from './pid-namespace.js';
import type { LiveRun } from '../live-run.js';
import type { RunWatch } from '../run-watch.js';
import type { RunEvent } from '../runner.js';

/** Pause between checks, for a directory that cannot be watched and for the time limit. */
const LOOK_MS = 100;
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
  let isOver = false;
  const look = (): void => {
    if (isOver) return;
    isOver = watch.runs.get(run) !== live || live.isEnding;
    if (!isOver && existsSync(join(directory, NAMESPACE_FILES.restored))) {
      isOver = true;
      tell({ type: 'RunPrepared', run, handle });
    } else if (!isOver && clock.now() >= until) {
      isOver = true;
      watch.stop(live, 0, 'criu did not end in time');
    }
    if (isOver) unwatch();
  };
  const unwatch = watchDirectory(directory, look);
  const lookAgain = (): void => {
    look();
    if (!isOver) clock.scheduler.schedule(lookAgain, LOOK_MS);
  };
  // An adopted run may be restored already; the event is emitted after this call has returned.
  clock.scheduler.schedule(lookAgain, 0);
}

/** Calls `look` when something in a directory changes; without watches left in the system it never does. */
function watchDirectory(directory: string, look: () => void): () => void {
  try {
    const watcher = watchFiles(directory, { persistent: false }, look);
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}
