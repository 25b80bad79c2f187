/**
 * The facts of a process image: what a node must know to decide whether it could restore it. They are stored in the
 * image as `facts.json`, and sent ahead of it in the request `fit`, before there is an image.
 */
import { z } from 'zod';

/** A mapped program or library. */
export interface MappedFile {
  readonly path: string;
  /** Lower-case hex of the ELF note; `null` when there is none, and only the size can be compared. */
  readonly build_id: string | null;
  readonly size: number;
}

/** An open regular file. */
export interface OpenFile {
  readonly path: string;
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /**
   * It travels in `carried/<path>` next to the image and replaces the file at its path on the node that restores it,
   * where it is kept in `held/<path>` from then on.
   */
  readonly carried: boolean;
}

/** What a receiver needs to know about an image. JSON, stored in the file `facts.json` of the image. */
export interface ImageFacts {
  readonly v: 1;
  /** Name of the root process, for display. */
  readonly name: string;
  /** The root and all processes of the tree, with the pids of their own pid namespace. */
  readonly root: number;
  readonly pids: readonly number[];
  /** The root is not the leader of its session. */
  readonly shell_job: boolean;
  /** Path of the run directory as the process sees it. */
  readonly known_as: string | null;
  /** Program of the root process. */
  readonly exe: string;
  readonly mapped: readonly MappedFile[];
  readonly cwd: string;
  readonly files: readonly OpenFile[];
  /** Anonymous memory, shared memory and carried files: roughly the size of the image. */
  readonly image_bytes: number;
  /** Processor seconds, user and system, since the process first started, on all machines; wall-clock ms likewise. */
  readonly cpu_s: number;
  readonly wall_ms: number;
  /** Version of the criu that wrote the image; empty until it is written. */
  readonly criu: string;
  /**
   * Set for a whole container, exported by podman: `mapped` and `files` are empty, and pids are those of its namespace.
   */
  readonly container?: ContainerFacts | undefined;
}

/** What a receiver must know about a container. */
export interface ContainerFacts {
  /** Its podman id and name; it keeps both. */
  readonly id: string;
  readonly name: string;
  /** Id of the image that it was created from, which does not travel, and the name of that image. */
  readonly image: string;
  readonly image_name: string;
  /** The OCI runtime that wrote it; no other runtime can restore it. */
  readonly runtime: string;
  /** Version of the podman that wrote it. */
  readonly podman: string;
}

const PATHS_MAX = 4096;

const path = z
  .string()
  .max(4096)
  .regex(/^\/[^\0\n]*$/, 'must be an absolute path in one line');
const pid = z
  .int()
  .min(1)
  .max(2 ** 22);
const bytes = z.int().min(0);
const podmanId = z.string().regex(/^[0-9a-f]{64}$/);

const containerFactsSchema: z.ZodType<ContainerFacts> = z.object({
  id: podmanId,
  name: z
    .string()
    .max(255)
    .regex(/^[a-zA-Z0-9][\w.-]*$/),
  image: podmanId,
  image_name: z.string().max(512),
  runtime: z.string().max(64),
  podman: z.string().max(32),
});

/** Checks {@link ImageFacts}. */
export const imageFactsSchema: z.ZodType<ImageFacts> = z.object({
  v: z.literal(1),
  name: z.string().max(64),
  root: pid,
  pids: z.array(pid).min(1).max(PATHS_MAX),
  shell_job: z.boolean(),
  known_as: path.nullable(),
  exe: path,
  mapped: z
    .array(
      z.object({
        path,
        build_id: z
          .string()
          .regex(/^[0-9a-f]+$/)
          .max(128)
          .nullable(),
        size: bytes,
      }),
    )
    .max(PATHS_MAX),
  cwd: path,
  files: z
    .array(z.object({ path, size: bytes, mode: bytes.max(0o7777), uid: bytes, gid: bytes, carried: z.boolean() }))
    .max(PATHS_MAX),
  image_bytes: bytes,
  cpu_s: z.number().min(0),
  wall_ms: z.number().min(0),
  criu: z.string().max(32),
  container: containerFactsSchema.optional(),
});
