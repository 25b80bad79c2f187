/**
 * The port that runs commands. Each run has a directory: the command runs in `work/` below it, with `stdout`,
 * `stderr` and the launcher's files next to that. A run has its own process group, and in it a watchdog that kills
 * the group when the deadline passes, whatever became of the node. Outcomes are reported on `events$`.
 */
import type { Observable } from 'rxjs';
import type { Command, ExternalProcess } from '../protocol/item.js';

/** A request to start a run. */
export interface StartRequest {
  /** Identifies the run in events: `<owner>/<item>/<epoch>`. */
  readonly run: string;
  /** Absolute directory of the run; `work/` in it exists when the item brought files, and is created otherwise. */
  readonly directory: string;
  readonly command: Command;
  /** Added to the environment of the command: TRITMESH_ITEM, TRITMESH_OWNER … */
  readonly environment: Readonly<Record<string, string>>;
  /** The watchdog ends the run after this many milliseconds without {@link Runner.extend}. */
  readonly guardMs: number;
  /**
   * Restore the image in `image/` below the directory instead of starting the command; {@link Runner.freeze} wrote it
   * on another machine. The copy stays stopped until {@link Runner.thaw}. RunPrepared or RunFailed follows. The
   * caller must have verified every byte of the image: a flipped one is restored without an error, and wrong.
   */
  readonly restore?: true | undefined;
}

/** A signal that asks a command to save its work and exit. */
export interface SaveRequest {
  readonly signal: 'SIGUSR1';
  /** How long it may take, in milliseconds, before SIGTERM follows. */
  readonly saveMs: number;
}

/** Identifies a started run well enough to find it again after a node crash. JSON. */
export interface RunHandle {
  /** The launcher, which leads the process group and session; for an external run the process itself. */
  readonly pid: number;
  /** Start time of that process as the system reports it, to detect a reused pid. */
  readonly start: string;
}

/** How far a reader has got, in bytes of each stream. */
export interface Reading {
  readonly stdout: number;
  readonly stderr: number;
}

/** What the runner reports about a run. */
export type RunEvent =
  | { readonly type: 'RunStarted'; readonly run: string; readonly handle: RunHandle }
  /** It never started: the launcher could not be created. A missing program is reported as exit code 127 instead. */
  | { readonly type: 'RunFailed'; readonly run: string; readonly reason: string }
  | {
      readonly type: 'RunOutput';
      readonly run: string;
      readonly stream: 'stdout' | 'stderr';
      /** Offset of the text in the stream, in bytes. */
      readonly offset: number;
      readonly text: string;
      readonly lossy: boolean;
    }
  /** It ended with an exit code; 128 + n when signal n ended it. Its whole process group is gone. */
  | {
      readonly type: 'RunExited';
      readonly run: string;
      readonly exitCode: number;
      readonly signal: string | null;
      readonly cpuS: number;
      readonly runMs: number;
      /** Nobody had asked it to end; a stop that was on its way came too late. */
      readonly untouched?: boolean | undefined;
      /** The disk was full while it ran or when it ended: its output may be truncated. */
      readonly diskWasFull?: boolean | undefined;
    }
  /** It wrote more than it may without a reader; it is held until it is stopped. */
  | { readonly type: 'OutputExceeded'; readonly run: string; readonly reason: string }
  /**
   * It ended without an exit code: killed together with its launcher, the machine restarted, or an external process
   * on its original machine, whose exit code only its parent learns. Its whole process group is gone.
   */
  | { readonly type: 'RunDied'; readonly run: string; readonly reason: string }
  /**
   * Its watchdog does not know how much time has passed (the machine slept or its clock jumped) and may have stopped
   * the run. Earlier calls of {@link Runner.extend} no longer count; the next one lets it continue.
   */
  | { readonly type: 'RunDoubted'; readonly run: string }
  /** Answer to freeze: `image/` below its directory holds a complete image, and all tasks of the run are stopped. */
  | {
      readonly type: 'RunFrozen';
      readonly run: string;
      /** Bytes in `image/`. */
      readonly imageBytes: number;
      /** From the call to now, in milliseconds. */
      readonly tookMs: number;
    }
  /** Answer to freeze: there is no image, and the run continues as before. `reason` is for people. */
  | { readonly type: 'FreezeFailed'; readonly run: string; readonly reason: string }
  /** All tasks of the run have been continued, and its image is removed. */
  | { readonly type: 'RunThawed'; readonly run: string }
  /**
   * Answer to thaw of a prepared copy: it never ran, and nothing of it is left. Only a copy that is started by its
   * restore (a container) can fail this way.
   */
  | { readonly type: 'ThawFailed'; readonly run: string; readonly reason: string }
  /** Answer to start with `restore`, and to adopt of such a run: the copy is complete, stopped, and has a watchdog. */
  | { readonly type: 'RunPrepared'; readonly run: string; readonly handle: RunHandle };

/** Runs commands on this machine. */
export interface Runner {
  readonly events$: Observable<RunEvent>;
  /** Starts a run. RunStarted or RunFailed follows; with `restore`, RunPrepared or RunFailed. */
  start(order: StartRequest): void;
  /**
   * Finds a run of an earlier node process. `handle` comes from `RunStarted`, or is `null` if the node died before it
   * was recorded; the launcher's files decide then. Emits RunStarted again if the run is alive, RunExited or RunDied
   * if it ended, and RunFailed only if it certainly never started. A run that is still being restored emits
   * RunPrepared or RunFailed, as after start; one that had been frozen or thawed emits RunStarted, and the caller
   * repeats {@link freeze} or {@link thaw}.
   */
  adopt(run: string, directory: string, handle: RunHandle | null): void;
  /**
   * Moves the watchdog's deadline to `guardMs` from now; never shortens it. The watchdog may learn of it some 200 ms
   * later, but always before its old deadline.
   */
  extend(run: string, guardMs: number): void;
  /**
   * Sends SIGTERM to the whole group, and SIGKILL after `graceMs` (0: at once). RunExited or RunDied follows. With
   * `ask` the command first receives that signal and has `saveMs` to exit. A stopped run (frozen or prepared) is
   * killed at once, and so is a criu working on it. An external run that is not frozen is only forgotten: it is left
   * untouched, and no event follows.
   */
  stop(run: string, graceMs: number, ask?: SaveRequest): void;
  /**
   * Writes a complete image of a live run into `image/` below its directory and leaves the original stopped.
   * Obstacles are found before anything is stopped. RunFrozen or FreezeFailed follows, and again when called again,
   * even after a node restart. Watchdog, deadline and wall-clock limit keep running.
   */
  freeze(run: string): void;
  /**
   * Aborts a dump in progress, then continues all tasks of a stopped run (a frozen original or a prepared copy) and
   * removes its image. RunThawed follows. Harmless for a run that is not stopped.
   */
  thaw(run: string): void;
  /**
   * Turns a process that tritmesh did not start, with all its descendants, into a run. `directory` is created. The
   * start time may be as in {@link RunHandle}, or just clock ticks since boot, as in /proc/PID/stat. RunStarted
   * follows, or RunFailed when there is no such process. It has no launcher and no watchdog: only {@link stop} after
   * {@link freeze} ends it, and its end is reported as RunDied.
   */
  take(run: string, directory: string, process: ExternalProcess): void;
  /** A reader has read up to `reading` and is present for `forMs`; while it is, a run too far ahead of it is held. */
  heed(run: string, reading: Reading, forMs: number): void;
  /** The pids of live runs, by run, for matching against a process list. */
  pids(): ReadonlyMap<string, readonly number[]>;
  /** Detaches from all runs without ending them; the next node process adopts them. */
  close(): void;
}
