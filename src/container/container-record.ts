/** The part of `podman container inspect` that a move depends on; validated, because podman versions differ. */
import { z } from 'zod';

/** A container; the field names are podman's. */
export interface ContainerRecord {
  readonly Id: string;
  readonly Name: string;
  /** Id of its image; `ImageName` is the name that people know it by. */
  readonly Image: string;
  readonly ImageName: string;
  /** Directory that it was started from, if not from an image; else empty. */
  readonly Rootfs: string;
  readonly Pod: string;
  readonly OCIRuntime: string;
  readonly Path: string;
  readonly Dependencies: readonly string[];
  readonly ExecIDs: readonly string[];
  readonly Mounts: readonly { readonly Type: string; readonly Destination: string }[];
  /** Bytes changed or added on top of its image. */
  readonly SizeRw: number;
  readonly State: {
    readonly Running: boolean;
    readonly Paused: boolean;
    readonly Pid: number;
    readonly StartedAt: string;
  };
  readonly HostConfig: {
    readonly AutoRemove: boolean;
    readonly PidMode: string;
    readonly RestartPolicy: { readonly Name: string };
  };
}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const list = <T extends z.ZodType>(one: T): z.ZodType<z.output<T>[]> =>
  z
    .array(one)
    .nullish()
    .transform((value) => value ?? []);

const recordSchema: z.ZodType<ContainerRecord> = z.object({
  Id: z.string().regex(/^[0-9a-f]{64}$/),
  Name: z.string(),
  Image: z.string(),
  ImageName: text,
  Rootfs: text,
  Pod: text,
  OCIRuntime: text,
  Path: text,
  Dependencies: list(z.string()),
  ExecIDs: list(z.string()),
  Mounts: list(z.object({ Type: text, Destination: text })),
  SizeRw: z
    .number()
    .nullish()
    .transform((value) => value ?? 0),
  State: z.object({ Running: z.boolean(), Paused: z.boolean(), Pid: z.number(), StartedAt: text }),
  HostConfig: z.object({ AutoRemove: z.boolean(), PidMode: text, RestartPolicy: z.object({ Name: text }) }),
});

/** Parses the answer for one container; on failure, `reason` is a sentence that says what is wrong with it. */
export function parseContainerRecord(json: string): ContainerRecord | { readonly reason: string } {
  try {
    const parsed = z.tuple([recordSchema]).safeParse(JSON.parse(json));
    if (parsed.success) return parsed.data[0];
    const [issue] = parsed.error.issues;
    return { reason: `podman's answer is not understood at ${issue?.path.join('.') ?? 'its root'}` };
  } catch {
    return { reason: "podman's answer is no JSON" };
  }
}
