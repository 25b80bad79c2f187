/**
 * The manifest of a transfer: describes the single byte stream that follows it. The stream is the bytes of the files in
 * manifest order, with nothing between them. The path rule is enforced here: nothing is written outside the directory
 * that the transfer is unpacked into.
 */
import { z } from 'zod';
import { commandSchema, isInnerPath, type Command } from './item.js';
import { COUNTER_MAX, MANIFEST_FILES_MAX, MANIFEST_PATH_CHARS_MAX } from './limits.js';

/** One file of a transfer. */
export interface ManifestFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Permission bits, 0 to 0o777; set-id bits never travel. */
  readonly mode: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

/** The description of a transfer: files in stream order. Paths imply their directories; only empty ones are listed. */
export interface Manifest {
  readonly files: readonly ManifestFile[];
  readonly directories: readonly string[];
  /** The command, if the ack did not carry it. */
  readonly command?: Command | undefined;
}

const fileSchema: z.ZodType<ManifestFile> = z.object({
  path: z.string().min(1).max(MANIFEST_PATH_CHARS_MAX).refine(isInnerPath, 'must be a relative path that stays inside'),
  size: z.int().min(0).max(COUNTER_MAX),
  mode: z.int().min(0).max(0o777),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'),
});

/** Schema of {@link Manifest}. */
export const manifestSchema: z.ZodType<Manifest> = z
  .object({
    files: z.array(fileSchema).max(MANIFEST_FILES_MAX),
    directories: z
      .array(z.string().max(MANIFEST_PATH_CHARS_MAX).refine(isInnerPath, 'must be a relative path that stays inside'))
      .max(MANIFEST_FILES_MAX)
      .default([]),
    command: commandSchema.optional(),
  })
  .refine((manifest) => new Set(manifest.files.map((file) => file.path)).size === manifest.files.length, {
    message: 'must not name a path twice',
  });
