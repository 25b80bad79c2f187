/**
 * The port that runs commands. A run has a directory: `work/` below it is where the command runs, `stdout`, `stderr`
 * and the launcher's own files stand beside. The run lives in a process group of its own with a guardian in it that
 * ends the group when its deadline passes, whatever became of the node. What happens comes back on `events$`.
 */
import type { Observable } from 'rxjs';
import type { Command } from '../protocol/item.js';

/** What to start. */
export interface StartRequest {
  /** Names the run in events: `<owner>/<item>/<epoch>`. */
  readonly run: string;
  /** Absolute directory of the run; `work/` in it exists when the item brought files, and is made otherwise. */
  readonly directory: string;
  readonly command: Command;
  /** Added to the environment of the command: TRITMESH_ITEM, TRITMESH_OWNER … */
  readonly environment: Readonly<Record<string, string>>;
  /** The guardian ends the run when this many milliseconds have passed without {@link Runner.extend}. */
  readonly guardMs: number;
  /**
   * Instead of starting the command, restore the image in `image/` below the directory, as {@link Runner.freeze} wrote
   * it on another machine. The copy stays stopped until {@link Runner.thaw}. RunPrepared or RunFailed follows. Every
   * byte of the image must have been verified: a flipped one restores silently wrong.
   */
  readonly restore?: true | undefined;
}

/** A process that tritmesh did not start. */
export interface ExternalProcess {
  readonly pid: number;
  /** Start time as {@link RunHandle} has it, or in clock ticks since boot alone, as /proc/PID/stat has it. */
  readonly start: string;
}

/** A signal that asks a command to save its work and to end by itself. */
export interface SaveRequest {
  readonly signal: 'SIGUSR1';
  /** How long it may take, in milliseconds; SIGTERM follows then. */
  readonly saveMs: number;
}

/** What is known of a started run: enough to find it again after the node died. JSON. */
export interface RunHandle {
  /** The launcher, leader of the process group and session; of a foreign run the process itself. */
  readonly pid: number;
  /** Start time of that process as the system counts it, so that a reused pid is not taken for it. */
  readonly start: string;
}

/** How far somebody has read, in bytes of each stream. */
export interface Reading {
  readonly stdout: number;
  readonly stderr: number;
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
      /** Nobody had asked it to end: a stop that was on its way came too late. */
      readonly untouched?: boolean | undefined;
      /** The disk was full while it ran, or when it ended: what it wrote may be cut. */
      readonly diskWasFull?: boolean | undefined;
    }
  /** It has written what nobody reads, more than it may; it is held until it is stopped. */
  | { readonly type: 'OutputExceeded'; readonly run: string; readonly reason: string }
  /**
   * It ended and left no exit code (killed with its launcher, machine restarted; a foreign process where it was born,
   * whose exit code only its parent learns). Nothing of its group lives.
   */
  | { readonly type: 'RunDied'; readonly run: string; readonly reason: string }
  /**
   * Its guardian does not know how much time passed (the machine slept, its clock jumped), and may have stopped it.
   * What {@link Runner.extend} gave before counts no more; the next one lets it go on.
   */
  | { readonly type: 'RunDoubted'; readonly run: string }
  /** Answer to freeze: a complete image is in `image/` below its directory, and every task of it is stopped. */
  | {
      readonly type: 'RunFrozen';
      readonly run: string;
      /** Bytes in `image/`. */
      readonly imageBytes: number;
      /** From the call to now, in milliseconds. */
      readonly tookMs: number;
    }
  /** Answer to freeze: there is no image, and the run goes on as before. `reason` is for people. */
  | { readonly type: 'FreezeFailed'; readonly run: string; readonly reason: string }
  /** Every task of the run has been continued, and there is no image any more. */
  | { readonly type: 'RunThawed'; readonly run: string }
  /**
   * Answer to thaw of a prepared copy: it never ran, and nothing of it is left. Only a copy whose restore is its start
   * can say so.
   */
  | { readonly type: 'ThawFailed'; readonly run: string; readonly reason: string }
  /** Answer to start with `restore`, and to adopt of such a run: the copy is whole, stopped, and has a guardian. */
  | { readonly type: 'RunPrepared'; readonly run: string; readonly handle: RunHandle };

/** Runs commands on this machine. */
export interface Runner {
  readonly events$: Observable<RunEvent>;
  /** Starts a run. */
  start(order: StartRequest): void;
  /**
   * Finds a run of an earlier life of the node. `handle` is what `RunStarted` told, or `null` if the node died before
   * it was written down; the launcher's own files decide then. Gives RunStarted again if it lives, RunExited or RunDied
   * if it ended, and RunFailed only if it surely never started. A run that is being restored gives RunPrepared once it
   * is, or RunFailed, as start would have; one that was frozen or thawed before gives RunStarted, and {@link freeze} or
   * {@link thaw} is asked again.
   */
  adopt(run: string, directory: string, handle: RunHandle | null): void;
  /**
   * Gives the guardian of a run `guardMs` from now; never shortens. It may hear of it some 200 ms later, in time for
   * its old deadline.
   */
  extend(run: string, guardMs: number): void;
  /**
   * SIGTERM to the whole group, SIGKILL after `graceMs` (0: at once). RunExited or RunDied follows. With `ask` the
   * command hears its signal first and has `saveMs` to end by itself. A stopped run (frozen or prepared) is killed at
   * once; so is a criu that is at work on it. A foreign run that is not frozen is only forgotten: nothing happens to
   * it, and no event follows.
   */
  stop(run: string, graceMs: number, ask?: SaveRequest): void;
  /**
   * Writes a complete image of a live run into `image/` below its directory and leaves the original stopped. What
   * stands in the way is found before anything is stopped. RunFrozen or FreezeFailed follows. Asked again it says so
   * again, after a restart of the node, too. Guardian, deadline and wall-clock limit go on.
   */
  freeze(run: string): void;
  /**
   * Ends a dump that is under way, then continues every task of a stopped run: a frozen original or a prepared copy;
   * its image is removed. RunThawed follows. It does no harm to one that runs.
   */
  thaw(run: string): void;
  /**
   * Makes a run of a process that tritmesh did not start, with all its descendants. `directory` is made. RunStarted
   * follows, or RunFailed when there is no such process. It has no launcher and no guardian: nothing ends it but {@link
   * stop} after {@link freeze}. Its end is RunDied.
   */
  take(run: string, directory: string, process: ExternalProcess): void;
  /** Somebody reads what it writes, has come so far, and is there for `forMs`: it is held while it is too far ahead. */
  heed(run: string, reading: Reading, forMs: number): void;
  /** The pids that belong to live runs, by run: what a process list is matched against. */
  pids(): ReadonlyMap<string, readonly number[]>;
  /** Lets go of all runs without ending them; they are adopted at the next start. */
  close(): void;
}
