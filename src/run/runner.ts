/**
 * The port that runs commands. A run has a directory: `work/` below it is where the command runs, `stdout`, `stderr`
 * and the launcher's own files stand beside. The run lives in a process group of its own with a guardian in it that
 * ends the group when its deadline passes, whatever became of the node. What happens comes back on `events$`.
 */
import type { Observable } from 'rxjs';
import type { Command } from '../protocol/item.js';

/** What to start. */
export interface RunOrder {
  /** Names the run in events: `<owner>/<item>/<epoch>`. */
  readonly run: string;
  /** Absolute directory of the run; `work/` in it exists when the item brought files, and is made otherwise. */
  readonly directory: string;
  readonly command: Command;
  /** Added to the environment of the command: TRITMESH_ITEM, TRITMESH_OWNER … */
  readonly environment: Readonly<Record<string, string>>;
  /** The guardian ends the run when this many milliseconds have passed without {@link Runner.extend}. */
  readonly guardMs: number;
}

/** What is known of a started run: enough to find it again after the node died. JSON. */
export interface RunHandle {
  /** The launcher, leader of the process group and session. */
  readonly pid: number;
  /** Start time of that process as the system counts it, so that a reused pid is not taken for it. */
  readonly start: string;
}

/** What happens to a run. */
export type RunEvent =
  | { readonly type: 'RunStarted'; readonly run: string; readonly handle: RunHandle }
  /** It never started: the launcher could not be made. A missing program is no such case: it exits with 127. */
  | { readonly type: 'RunFailed'; readonly run: string; readonly reason: string }
  | {
      readonly type: 'RunOutput';
      readonly run: string;
      readonly stream: 'stdout' | 'stderr';
      /** Where the text begins in the stream, in bytes. */
      readonly offset: number;
      readonly text: string;
      readonly lossy: boolean;
    }
  /** It ended with an exit code; 128 + n when signal n ended it. Nothing of its process group lives any more. */
  | {
      readonly type: 'RunExited';
      readonly run: string;
      readonly exitCode: number;
      readonly signal: string | null;
      readonly cpuS: number;
      readonly runMs: number;
    }
  /** It ended and left no exit code (killed with its launcher, machine restarted). Nothing of its group lives. */
  | { readonly type: 'RunDied'; readonly run: string; readonly reason: string };

/** Runs commands on this machine. */
export interface Runner {
  readonly events$: Observable<RunEvent>;
  /** Starts a run. */
  start(order: RunOrder): void;
  /**
   * Finds a run of an earlier life of the node. `handle` is what `RunStarted` told, or `null` if the node died before it
   * was written down; the launcher's own files decide then. Gives RunStarted again if it lives, RunExited or RunDied
   * if it ended, and RunFailed only if it surely never started.
   */
  adopt(run: string, directory: string, handle: RunHandle | null): void;
  /**
   * Gives the guardian of a run `guardMs` from now; never shortens. It may hear of it some 200 ms later, in time for its
   * old deadline.
   */
  extend(run: string, guardMs: number): void;
  /** SIGTERM to the whole group, SIGKILL after `graceMs` (0: at once). RunExited or RunDied follows. */
  stop(run: string, graceMs: number): void;
  /** The pids that belong to live runs, by run: what a process list is matched against. */
  pids(): ReadonlyMap<string, readonly number[]>;
  /** Lets go of all runs without ending them; they are adopted at the next start. */
  close(): void;
}
