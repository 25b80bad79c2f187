/**
 * The port that writes running processes down and says what stands in the way: CRIU, on Linux as root. It moves nothing
 * between machines and knows no items; a runner freezes and restores its runs with it. All answers come through `done`,
 * once, and after the call has returned.
 */
import type { ProcessFacts } from '../core/processes/process-facts.js';
import type { ImageFacts } from '../protocol/image-facts.js';

/** What this machine can do. */
export interface Capabilities {
  /** A process can be frozen and restored here. */
  readonly usable: boolean;
  /** Why not, for people; empty when usable. */
  readonly reason: string;
  /** Absolute path of criu; empty when none was found. */
  readonly criu: string;
  /** As criu says it: `4.2.1`; empty when unknown. */
  readonly version: string;
  /**
   * For `info.abilities`: when usable `criu` and `criu-<major.minor>`; always what the cpu can: `cpu-x86-64-v1` up to
   * its own level, and `cpu-flags-<8 hex digits>`, which two machines share only if all their cpu flags are the same.
   */
  readonly abilities: readonly string[];
}

/** A live process tree. */
export interface DumpSubject {
  /** Its root, as this machine counts pids. */
  readonly pid: number;
  /**
   * The init of the pid namespace that a runner made for it, as this machine counts; `null` when it lives in the node's
   * own.
   */
  readonly init: number | null;
  /** Absolute directory of the run: what is below it travels with the run. */
  readonly directory: string;
  /**
   * The path under which the process knows that directory: it may have been born on another machine. `null`: not at
   * all.
   */
  readonly knownAs: string | null;
}

/** What was found of a live process. */
export interface DumpPreflight {
  /** Sentences for people, in lower case; none: it can be frozen. */
  readonly obstacles: readonly string[];
  /** `null` when there is no such process, or too little can be read of it. */
  readonly facts: ImageFacts | null;
}

/** What was used before, on this machine or others; added to the facts. */
export interface ResourceUsage {
  readonly cpuS: number;
  readonly wallMs: number;
}

/** How a dump ended: the original is stopped when `ok`; else it goes on and nothing of the image is left. */
export type Dumped =
  | { readonly ok: true; readonly facts: ImageFacts; readonly imageBytes: number }
  | { readonly ok: false; readonly reason: string };

/** How to restore an image, for a shell that is the init of a new pid namespace. */
export interface RestorePlan {
  readonly facts: ImageFacts;
  readonly imageBytes: number;
  /**
   * Program and arguments; it stays as the parent of what it restored, and makes the file `mark` once that is whole and
   * stopped.
   */
  readonly argv: readonly string[];
  /** What to mount over what, in this order, in a mount namespace of its own. Targets exist. */
  readonly binds: readonly { readonly source: string; readonly target: string }[];
  /** No pid of the tree is among the thousand above it: where helpers may take theirs. */
  readonly freePid: number;
}

/** Freezes processes and makes ready what restores them. */
export interface Checkpoint {
  /** Says what this machine can do; looks once and remembers. */
  survey(done: (survey: Capabilities) => void): void;
  /**
   * All processes of this machine by pid, the asked ones with their command and ports too; empty where nothing can be
   * read. Synchronous.
   */
  identify(...pids: readonly number[]): ReadonlyMap<number, ProcessFacts>;
  /** Looks at a live process before anything is stopped. It changes nothing. */
  inspect(subject: DumpSubject, done: (inspection: DumpPreflight) => void): void;
  /**
   * Says what stands in the way of restoring an image here: sentences as in {@link DumpPreflight}, none when nothing
   * does. `directory`: absolute, where the image is or would be put; room is needed there.
   */
  review(facts: ImageFacts, directory: string, done: (obstacles: readonly string[]) => void): void;
  /**
   * Inspects, then writes the image into `image/` of the subject's directory and carried files into `carried/`, and
   * leaves the process stopped. `image/facts.json` is written last: with it the image is complete. What an earlier dump
   * left there is removed.
   */
  dump(subject: DumpSubject, spent: ResourceUsage, done: (dumped: Dumped) => void): void;
  /** The facts of a complete image in `image/` of a directory and its bytes; `null` when there is none. Synchronous. */
  read(directory: string): { readonly facts: ImageFacts; readonly imageBytes: number } | null;
  /** Whether every task of the tree is stopped. Synchronous, as the next. */
  isStopped(subject: Pick<DumpSubject, 'pid'>): boolean;
  /** Sends a signal to every task of the tree; with an init, to all of its pid namespace but the init. */
  signal(subject: Pick<DumpSubject, 'pid' | 'init'>, signal: 'SIGCONT' | 'SIGTERM' | 'SIGKILL'): void;
  /** Ends every criu that dumps into a directory, of whatever life of the node; `done` when none is left. */
  abandon(directory: string, done: () => void): void;
  /**
   * Removes the image of a directory, the mark of its completeness first; gives whether there was any, complete or not.
   */
  discard(directory: string): boolean;
  /**
   * Reviews the image of a directory and says how to restore it. Makes the targets of its binds. `mark`: absolute path.
   */
  plan(directory: string, mark: string, done: (planned: RestorePlan | { readonly reason: string }) => void): void;
  /**
   * Why the last restore in a directory failed, as criu said it; a plain sentence when it said nothing. Synchronous.
   */
  explain(directory: string): string;
  /**
   * Removes the targets of binds that {@link plan} made, as far as nobody uses them. Call it when nothing of the run
   * lives.
   */
  clean(directory: string): void;
}
