/**
 * The facts of a process image: what a receiver must know to say whether it could restore it. They lie in the image as
 * `facts.json`, and travel before there is any image in the request `fit`.
 */
import { z } from 'zod';

/** A program or library that is mapped. */
export interface MappedFile {
  readonly path: string;
  /** Lower case hex of the ELF note; `null` when it has none, and its size must do. */
  readonly build_id: string | null;
  readonly size: number;
}

/** A regular file that is open. */
export interface OpenFile {
  readonly path: string;
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /**
   * It travels in `carried/<path>` beside the image, and stands in for what is at its path where it is restored; from then on
   * it is in `held/<path>` there.
   */
  readonly carried: boolean;
}

/** What a receiver needs to know of an image. JSON; it is in the file `facts.json` of the image. */
export interface ImageFacts {
  readonly v: 1;
  /** Name of the root process, for people. */
  readonly name: string;
  /** The root, and all processes of the tree, as their own pid namespace counts them. */
  readonly root: number;
  readonly pids: readonly number[];
  /** It is no leader of its session. */
  readonly shell_job: boolean;
  /** The path under which the process knows the directory of its run. */
  readonly known_as: string | null;
  /** Program of the root. */
  readonly exe: string;
  readonly mapped: readonly MappedFile[];
  readonly cwd: string;
  readonly files: readonly OpenFile[];
  /** Anonymous and shared memory, and carried files: about what the image takes. */
  readonly image_bytes: number;
  /** Seconds of cpu, user and system, since its birth on whatever machine; wall-clock milliseconds likewise. */
  readonly cpu_s: number;
  readonly wall_ms: number;
  /** Version of the criu that wrote it; empty before. */
  readonly criu: string;
  /** It is a whole container, exported by podman: `mapped` and `files` are empty, and its pids are those of its own namespace. */
  readonly container?: ContainerFacts | undefined;
}

/** A container, as far as its receiver must know it. */
export interface ContainerFacts {
  /** Its id and its name at podman; it keeps both. */
  readonly id: string;
  readonly name: string;
  /** Id of the image that it was made from, which does not travel, and the name that people know it by. */
  readonly image: string;
  readonly image_name: string;
  /** The OCI runtime that wrote it: another one cannot restore it. */
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
