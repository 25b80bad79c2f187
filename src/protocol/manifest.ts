/**
 * The manifest of a transfer: what the one byte stream behind it holds. The stream is the files' bytes in the
 * manifest's order with nothing between them. The path rule is here: nothing leaves the directory it is unpacked into.
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

/** A transfer, described: files in the order of their bytes; directories are implied by paths, empty ones are named. */
export interface Manifest {
  readonly files: readonly ManifestFile[];
  readonly directories: readonly string[];
  /** The command, when it was not in the ack. */
  readonly command?: Command | undefined;
}

const fileSchema: z.ZodType<ManifestFile> = z.object({
  path: z.string().min(1).max(MANIFEST_PATH_CHARS_MAX).refine(isInnerPath, 'must be a relative path that stays inside'),
  size: z.int().min(0).max(COUNTER_MAX),
  mode: z.int().min(0).max(0o777),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'),
});

/** Checks a {@link Manifest}. */
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
