/**
 * Port for moving containers as a whole: podman over CRIU, on Linux as root. Experimental. Never moves anything
 * between machines and knows nothing of items; a runner uses it to freeze, restore and end its runs. Only adapters
 * use it, so it returns promises: they always settle, and reject only because of a bug in this program.
 */
import type { DumpPreflight, ResourceUsage, Dumped } from '../checkpoint/checkpoint.js';
import type { ImageFacts } from '../protocol/image-facts.js';

/** What podman can do here. */
export interface ContainerCapabilities {
  readonly usable: boolean;
  /** Why not, as a sentence for people; empty when usable. */
  readonly reason: string;
  /** As podman reports it, e.g. `4.3.1`; empty when unknown. */
  readonly version: string;
  /** Name of the OCI runtime that restores, e.g. `crun` or `runc`; empty when unknown. */
  readonly runtime: string;
  /** For `info.abilities` when usable: `podman` and `podman-<major>`. */
  readonly abilities: readonly string[];
}

/** State of one container. `unknown`: podman did not answer, which allows no conclusion. */
export type ContainerSnapshot =
  | { readonly state: 'running'; readonly pid: number }
  | { readonly state: 'stopped' }
  | { readonly state: 'absent' }
  | { readonly state: 'unknown'; readonly reason: string };

/** Freezes containers and manages the frozen ones. Ids are podman's full ids: 64 hexadecimal digits. */
export interface Containers {
  /** Reports what podman can do here; determined by the first call and remembered. */
  capabilities(): Promise<ContainerCapabilities>;
  /**
   * The container that a process is in, judged by its cgroup alone; `undefined` when it is not in a podman container.
   * Synchronous, like `members`.
   */
  containerOf(pid: number): string | undefined;
  /**
   * Pids of all live processes of a container, in the node's pid namespace; includes those that were started in it
   * later.
   */
  members(id: string): readonly number[];
  /**
   * Reports what prevents a container from being frozen, and its facts. Changes nothing. `directory`: absolute path
   * where the export would be stored; its free space is checked.
   */
  preflightExport(id: string, directory: string): Promise<DumpPreflight>;
  /**
   * Reports what prevents a container from being restored here; none when nothing does. Never pulls an image.
   * `directory`: as in `preflightExport`.
   */
  preflightRestore(facts: ImageFacts, directory: string): Promise<readonly string[]>;
  look(id: string): Promise<ContainerSnapshot>;
  /**
   * Checks the container, then writes its export into `image/` of a directory, `facts.json` last, and leaves it
   * stopped with its checkpoint kept by podman. Transient failures are retried a few times; each failed attempt holds
   * the container up for ten seconds. After a failure the container may be in any state, and parts of the export may
   * be left, but no `facts.json`, not even of an earlier export; `look` reports the state. podman outlives this
   * process.
   */
  freeze(id: string, directory: string, spent: ResourceUsage): Promise<Dumped>;
  /**
   * Continues a stopped container from the checkpoint that podman keeps; resolves to the reason if it could not.
   * podman outlives this process.
   */
  resume(id: string, directory: string): Promise<string | undefined>;
  /** Asks a running container to end, and kills it after `graceS` seconds. */
  stop(id: string, graceS: number): Promise<void>;
  /**
   * Removes a container; a running one only with `force`, which kills it. Resolves to the reason if it still exists.
   */
  remove(id: string, force: boolean): Promise<string | undefined>;
  /**
   * Waits until no podman is freezing or resuming a container, whichever boot of the node started it. It is never
   * killed: interrupting it could lose the container.
   */
  settle(id: string): Promise<void>;
  /** Variables, PATH among them, for a program that calls podman directly. */
  environment(): Promise<Readonly<Record<string, string>>>;
}

/** Path of the export, relative to its run's directory. */
export const EXPORT_FILE = 'image/container.tar';
