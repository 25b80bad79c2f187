/**
 * Port for freezing running processes into an image and restoring them from it: CRIU, on Linux as root. Never moves
 * anything between machines and knows nothing of items; a runner uses it to freeze and restore its runs. Every
 * asynchronous answer comes through `done`, exactly once and only after the call has returned.
 */
import type { ProcessFacts } from '../core/processes/process-facts.js';
import type { ImageFacts } from '../protocol/image-facts.js';

/** What this machine can do. */
export interface Capabilities {
  /** Whether processes can be frozen and restored here. */
  readonly usable: boolean;
  /** Why not, as a sentence for people; empty when usable. */
  readonly reason: string;
  /** Absolute path of criu; empty when none was found. */
  readonly criu: string;
  /** As criu reports it, e.g. `4.2.1`; empty when unknown. */
  readonly version: string;
  /**
   * For `info.abilities`. When usable: `criu` and `criu-<major.minor>`. Always: `cpu-x86-64-v1` up to the cpu's
   * level, and `cpu-flags-<8 hex digits>`, which two machines share only if all their cpu flags are equal.
   */
  readonly abilities: readonly string[];
}

/** A live process tree to freeze. */
export interface DumpSubject {
  /** Pid of its root, in the node's pid namespace. */
  readonly pid: number;
  /**
   * Pid of the init of the pid namespace that a runner created for the tree, in the node's pid namespace; `null` when
   * the tree lives in the node's own.
   */
  readonly init: number | null;
  /** Absolute path of the run's directory; everything below it travels with the run. */
  readonly directory: string;
  /**
   * Path under which the process knows that directory; differs from `directory` if the process was started on another
   * machine. `null`: it does not know the directory at all.
   */
  readonly knownAs: string | null;
}

/** What a preflight found out about a live process. */
export interface DumpPreflight {
  /** Sentences for people, in lower case; when empty, the process can be frozen. */
  readonly obstacles: readonly string[];
  /** `null` when there is no such process, or too little about it can be read. */
  readonly facts: ImageFacts | null;
}

/** Resources used earlier, on this machine or others; a dump adds them to its facts. */
export interface ResourceUsage {
  readonly cpuS: number;
  readonly wallMs: number;
}

/** How a dump ended. If `ok`, the original is stopped; otherwise it continues and nothing of the image is left. */
export type Dumped =
  | { readonly ok: true; readonly facts: ImageFacts; readonly imageBytes: number }
  | { readonly ok: false; readonly reason: string };

/** How to restore an image; carried out by a shell that is the init of a new pid namespace. */
export interface RestorePlan {
  readonly facts: ImageFacts;
  readonly imageBytes: number;
  /**
   * Program and arguments. It stays as the parent of what it restored, and creates the file `mark` once the tree is
   * complete and still stopped.
   */
  readonly argv: readonly string[];
  /** What to mount over what, in this order, in a separate mount namespace. All targets exist. */
  readonly binds: readonly { readonly source: string; readonly target: string }[];
  /** The thousand pids from this one on are not used by the tree; helpers may take theirs there. */
  readonly freePid: number;
}

/** Freezes processes and prepares their restore. */
export interface Checkpoint {
  /** Reports what this machine can do; determined by the first call and remembered. */
  capabilities(done: (capabilities: Capabilities) => void): void;
  /**
   * Returns all processes of this machine by pid, those in `pids` with their command and listening ports as well;
   * empty where nothing can be read. Synchronous.
   */
  identify(...pids: readonly number[]): ReadonlyMap<number, ProcessFacts>;
  /** Reports what prevents a live process from being frozen, and its facts. Stops and changes nothing. */
  preflightDump(subject: DumpSubject, done: (preflight: DumpPreflight) => void): void;
  /**
   * Reports what prevents an image from being restored here: sentences as in {@link DumpPreflight}, none when nothing
   * does. `directory`: absolute path where the image is or would be stored; its free space is checked.
   */
  preflightRestore(facts: ImageFacts, directory: string, done: (obstacles: readonly string[]) => void): void;
  /**
   * Checks the subject, then writes its image into `image/` of its directory and carried files into `carried/`, and
   * leaves the process stopped. `image/facts.json` is written last: its presence makes the image complete. Files of
   * an earlier dump are removed first, so none are left after a failure either. `spent` is added to the facts.
   */
  dump(subject: DumpSubject, spent: ResourceUsage, done: (dumped: Dumped) => void): void;
  /**
   * Returns the facts and the size in bytes of a complete image in `image/` of a directory, or `null` when there is
   * none. Synchronous.
   */
  read(directory: string): { readonly facts: ImageFacts; readonly imageBytes: number } | null;
  /** Whether every task of the tree is stopped. Synchronous, like `signal`. */
  isStopped(subject: Pick<DumpSubject, 'pid'>): boolean;
  /** Sends a signal to every task of the tree; with an `init`, to everything in its pid namespace except the init. */
  signal(subject: Pick<DumpSubject, 'pid' | 'init'>, signal: 'SIGCONT' | 'SIGTERM' | 'SIGKILL'): void;
  /** Kills every criu that dumps into a directory, whichever boot of the node started it; `done` when none is left. */
  abandon(directory: string, done: () => void): void;
  /**
   * Removes the image of a directory, the file that marks it as complete first. Returns whether there was an image,
   * complete or not.
   */
  discard(directory: string): boolean;
  /**
   * Checks the image of a directory and reports how to restore it, or why it cannot be. Creates the targets of its
   * binds. `mark`: absolute path.
   */
  plan(directory: string, mark: string, done: (planned: RestorePlan | { readonly reason: string }) => void): void;
  /**
   * Returns why the last restore in a directory failed, as criu reported it; a general sentence when it reported
   * nothing. Synchronous.
   */
  explain(directory: string): string;
  /**
   * Removes the targets of binds that {@link plan} created, as far as they are unused. Call it only when no process
   * of the run is left.
   */
  clean(directory: string): void;
}
