/**
 * The schemas of what messages say of a peer: its key, where it listens, and what is sealed to it.
 */
import { z } from 'zod';
import { SEALED_BUNDLE_BYTES_MAX } from './limits.js';

/** Base64 of what is sealed, with the key and the tag in front of it. */
const SEALED_CHARS_MAX = Math.ceil((SEALED_BUNDLE_BYTES_MAX + 48) / 3) * 4;

/** A public key. */
export const keySchema: z.ZodType<string> = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, 'must be 43 characters of base64url');

/** Addresses, in the order to try. */
export const urlsSchema: z.ZodType<string[]> = z
  .array(
    z
      .string()
      .max(300)
      .regex(/^https:\/\/[^\s/]+$/, 'must be https://host:port'),
  )
  .max(16);

/** What is sealed to a key. */
export const sealedSchema: z.ZodType<string> = z
  .string()
  .max(SEALED_CHARS_MAX)
  .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'must be base64');
