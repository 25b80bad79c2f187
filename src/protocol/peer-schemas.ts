/** Schemas of the fields that describe a peer: its key, its addresses, and data sealed to it. */
import { z } from 'zod';
import { SEALED_BUNDLE_BYTES_MAX } from './limits.js';

/** Length in base64 of the sealed bytes with the key (32 bytes) and the tag (16 bytes) in front. */
const SEALED_CHARS_MAX = Math.ceil((SEALED_BUNDLE_BYTES_MAX + 48) / 3) * 4;

/** A raw public key of 32 bytes. */
export const keySchema: z.ZodType<string> = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, 'must be 43 characters of base64url');

/** Addresses of a peer, in the order in which to try them. */
export const urlsSchema: z.ZodType<string[]> = z
  .array(
    z
      .string()
      .max(300)
      .regex(/^https:\/\/[^\s/]+$/, 'must be https://host:port'),
  )
  .max(16);

/** Data sealed to a key. */
export const sealedSchema: z.ZodType<string> = z
  .string()
  .max(SEALED_CHARS_MAX)
  .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'must be base64');
