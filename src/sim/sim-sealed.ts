/** Small outputs inside a result, as simulated nodes write and read them. */
import { SEALED_OUTPUTS_BYTES_MAX } from '../protocol/limits.js';
import type { Bundle } from '../transfer/transfer.js';

/** Half of what is small enough counts as large, so that both ways home are gone. */
export function isSmall({ bytes, sha256 }: Bundle): boolean {
  return bytes <= SEALED_OUTPUTS_BYTES_MAX && Number.parseInt(sha256.slice(-1), 16) < 8;
}

/** What a seal holds, and for whom. */
export interface SimSealed {
  readonly share: string;
  readonly sealKey: string;
  readonly bundle: Bundle;
}

/** Nobody in a simulation tries to break a seal; what matters is that only its own node takes it for its own. */
export function writeSealed(sealed: SimSealed): string {
  return Buffer.from(JSON.stringify(sealed)).toString('base64');
}

/** Takes it out again. */
export function readSealed(text: string): SimSealed {
  return JSON.parse(Buffer.from(text, 'base64').toString()) as SimSealed;
}
