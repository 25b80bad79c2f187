/** Small outputs sealed inside a result, as simulated nodes write and read them. */
import { SEALED_OUTPUTS_BYTES_MAX } from '../../protocol/limits.js';
import type { Bundle } from '../../transfer/transfer.js';

/**
 * Whether a bundle is sealed into the result. Half of those that are small enough are not, so that both ways get used.
 */
export function isSmall({ bytes, sha256 }: Bundle): boolean {
  return bytes <= SEALED_OUTPUTS_BYTES_MAX && Number.parseInt(sha256.slice(-1), 16) < 8;
}

/** A sealed bundle, and the key it is sealed for. */
export interface SimSealed {
  readonly share: string;
  readonly sealKey: string;
  readonly bundle: Bundle;
}

/** Encodes without encryption: nothing in a simulation tries to break a seal. Only the addressed node accepts it. */
export function writeSealed(sealed: SimSealed): string {
  return Buffer.from(JSON.stringify(sealed)).toString('base64');
}

/** Decodes what {@link writeSealed} returned. */
export function readSealed(text: string): SimSealed {
  return JSON.parse(Buffer.from(text, 'base64').toString()) as SimSealed;
}
