/**
 * Tracks runs that are external processes, which tritmesh did not start. It only watches them until one has been
 * frozen; then it may kill the stopped original. They have no launcher and no watchdog, and only their own parent
 * learns their exit code.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interval, type Subscription } from 'rxjs';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { Clock } from '../clock/clock.js';
import { describeUnprepared } from './directory/run-directory.js';
import type { Freezable, Freezer } from './freeze/freezer.js';
import { isAlive, tryReadStart } from './processes/process-table.js';
import type { ExternalProcess } from '../protocol/item.js';
import type { RunEvent, RunHandle } from './runner.js';

/** The external runs of one runner. */
export interface ExternalRuns {
  has(run: string): boolean;
  /** The run as the freezer sees it; `undefined` when it is not an external run of this runner. */
  find(run: string): Freezable | undefined;
  take(run: string, directory: string, process: ExternalProcess): void;
  /** Resumes watching after a node restart; false when the directory does not belong to an external run. */
  adopt(run: string, directory: string): boolean;
  stop(run: string): void;
  pids(): ReadonlyMap<string, readonly number[]>;
  close(): void;
}

/** File that identifies the process: its pid and start time. */
const EXTERNAL_FILE = 'foreign';
const LOOK_MS = 200;
const ENDED = 'it ended, and only its parent knows how';
const NOTHING_SPENT = { cpuS: 0, wallMs: 0 };

interface ExternalRun extends Freezable {
  readonly handle: RunHandle;
  isKilled: boolean;
}

/** Creates the tracker; `tell` receives the events of its runs. */
export function createExternalRuns(
  clock: Clock,
  checkpoint: Checkpoint,
  freezer: Freezer,
  tell: (event: RunEvent) => void,
): ExternalRuns {
  const runs = new Map<string, ExternalRun>();
  let looks: Subscription | undefined;

  function follow(run: string, directory: string, handle: RunHandle): void {
    runs.set(run, {
      run,
      directory,
      handle,
      isKilled: false,
      isCopy: false,
      locate: () =>
        isAlive(handle) ? { pid: handle.pid, init: null, directory, knownAs: null } : { reason: 'it has ended' },
      spent: () => NOTHING_SPENT,
    });
    looks ??= interval(LOOK_MS, clock.scheduler).subscribe(look);
    tell({ type: 'RunStarted', run, handle });
  }

  function look(): void {
    for (const { run, handle, isKilled } of runs.values()) if (!isAlive(handle)) end(run, isKilled ? 'stopped' : ENDED);
  }

  function end(run: string, reason: string): void {
    forget(run);
    tell({ type: 'RunDied', run, reason });
  }

  function forget(run: string): void {
    runs.delete(run);
    if (runs.size > 0) return;
    looks?.unsubscribe();
    looks = undefined;
  }

  function stop(run: string): void {
    const found = runs.get(run);
    if (found === undefined) return;
    freezer.settle(found, () => {
      const subject = found.locate();
      if ('reason' in subject) return end(run, ENDED);
      if (!freezer.isStill(found)) return forget(run);
      found.isKilled = true;
      checkpoint.signal(subject, 'SIGKILL');
    });
  }

  return {
    has: (run) => runs.has(run),
    find: (run) => runs.get(run),
    take: (run, directory, { pid, start }) => {
      const found = pid > 1 ? tryReadStart(pid) : undefined;
      if (found === undefined || (found !== start && found.split('@')[0] !== start)) {
        return tell({ type: 'RunFailed', run, reason: `there is no process ${pid} that started at ${start}` });
      }
      const handle = { pid, start: found };
      const fault = writeExternal(directory, handle);
      if (fault !== undefined) return tell({ type: 'RunFailed', run, reason: fault });
      follow(run, directory, handle);
    },
    adopt: (run, directory) => {
      const handle = readExternal(directory);
      if (handle === undefined) return false;
      if (isAlive(handle)) follow(run, directory, handle);
      else tell({ type: 'RunDied', run, reason: ENDED });
      return true;
    },
    stop,
    pids: () => new Map([...runs.values()].map(({ run, handle }) => [run, [handle.pid]])),
    close: () => {
      looks?.unsubscribe();
      runs.clear();
    },
  };
}

function writeExternal(directory: string, handle: RunHandle): string | undefined {
  try {
    mkdirSync(directory, { recursive: true });
    const file = join(directory, EXTERNAL_FILE);
    writeFileSync(`${file}.new`, `${handle.pid} ${handle.start}\n`);
    renameSync(`${file}.new`, file);
    return undefined;
  } catch (error) {
    return describeUnprepared(error);
  }
}

function readExternal(directory: string): RunHandle | undefined {
  try {
    const [, pid, start] = /^(\d+) (\S+)\n$/.exec(readFileSync(join(directory, EXTERNAL_FILE), 'latin1')) ?? [];
    return pid === undefined || start === undefined ? undefined : { pid: Number(pid), start };
  } catch {
    return undefined;
  }
}
