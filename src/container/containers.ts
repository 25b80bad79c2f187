/**
 * The port that moves containers as a whole: podman over CRIU, on Linux as root. Experimental. It moves nothing between
 * machines and knows no items; a runner freezes, restores and ends its runs with it. For adapters alone, so it gives
 * promises: each is kept, and none is rejected but for a fault of this program.
 */
import type { DumpPreflight, ResourceUsage, Dumped } from '../checkpoint/checkpoint.js';
import type { ImageFacts } from '../protocol/image-facts.js';

/** What podman can do here. */
export interface ContainerCapabilities {
  readonly usable: boolean;
  /** Why not, for people; empty when usable. */
  readonly reason: string;
  /** As podman says it: `4.3.1`; empty when unknown. */
  readonly version: string;
  /** Name of the OCI runtime that restores: `crun`, `runc`; empty when unknown. */
  readonly runtime: string;
  /** For `info.abilities` when usable: `podman` and `podman-<major>`. */
  readonly abilities: readonly string[];
}

/** What podman says of one container. `unknown`: podman did not answer, and nothing follows from that. */
export type ContainerSnapshot =
  | { readonly state: 'running'; readonly pid: number }
  | { readonly state: 'stopped' }
  | { readonly state: 'absent' }
  | { readonly state: 'unknown'; readonly reason: string };

/** Freezes containers and looks after them. Ids are podman's full ones: 64 hexadecimal digits. */
export interface Containers {
  /** Looks once and remembers. */
  survey(): Promise<ContainerCapabilities>;
  /**
   * The container that a process is in, by its cgroup alone; `undefined`: none of podman's. Synchronous, as the next.
   */
  containerOf(pid: number): string | undefined;
  /** All live processes of a container, as this machine counts them, those that were started in it later too. */
  members(id: string): readonly number[];
  /**
   * What stands in the way of freezing a container, and its facts. It changes nothing. `directory`: absolute, room is
   * needed there.
   */
  inspect(id: string, directory: string): Promise<DumpPreflight>;
  /** What stands in the way of restoring a container here. It never pulls an image. */
  review(facts: ImageFacts, directory: string): Promise<readonly string[]>;
  look(id: string): Promise<ContainerSnapshot>;
  /**
   * Inspects, then writes the export into `image/` of a directory, `facts.json` last, and leaves the container stopped
   * with its checkpoint kept by podman. It is asked for again a few times when what stood in the way passes by itself;
   * each of those holds the container up for ten seconds. When it fails, what podman made of the container is to be
   * looked for. podman outlives this process.
   */
  freeze(id: string, directory: string, spent: ResourceUsage): Promise<Dumped>;
  /**
   * Lets a stopped container go on from the checkpoint that podman keeps; gives why it could not. podman outlives this
   * process.
   */
  resume(id: string, directory: string): Promise<string | undefined>;
  /** Asks a running container to end, and kills it after so many seconds. */
  stop(id: string, graceS: number): Promise<void>;
  /** Removes a container; one that runs only with `force`, which kills it. Gives why it is still there. */
  remove(id: string, force: boolean): Promise<string | undefined>;
  /**
   * Waits until no podman of whatever life of the node freezes or resumes a container. They are never killed: half
   * their work is a loss.
   */
  settle(id: string): Promise<void>;
  /** What a program needs that calls podman by itself: variables, PATH among them. */
  environment(): Promise<Readonly<Record<string, string>>>;
}

/** The export, below the directory of its run. */
export const EXPORT_FILE = 'image/container.tar';
