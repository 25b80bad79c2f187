/**
 * Amounts of disk space as people write them: a size such as `512M`, or a share such as `5%`. Pure.
 */
import type { DiskAmount } from '../core/disk/disk-space.js';

const SIZES: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** The reserve `auto`: 5% of the disk, but at most 1 GiB. */
const AUTO: DiskAmount = { percent: 5, bytes: 1024 ** 3 };

/**
 * Parses an amount; `undefined` if it is not one. Of both limits the smaller applies, so a size never exceeds the disk.
 */
export function parseAmount(text: string): DiskAmount | undefined {
  const [, share] = /^(\d+(?:\.\d+)?)\s*%$/.exec(text) ?? [];
  if (share !== undefined) {
    const percent = Number(share);
    return percent <= 100 ? { percent, bytes: Number.MAX_SAFE_INTEGER } : undefined;
  }
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  const factor = SIZES[unit.toLowerCase()];
  const bytes = Math.round(Number(number) * (factor ?? Number.NaN));
  return number !== '' && Number.isSafeInteger(bytes) ? { percent: 100, bytes } : undefined;
}

/** Parses a reserve: an amount, or `auto`. */
export function parseReserve(text: string): DiskAmount | undefined {
  return text === 'auto' ? AUTO : parseAmount(text);
}

/** What is wrong with the text of an amount; `undefined` if it is valid. */
export function findAmountFault(text: string): string | undefined {
  return parseAmount(text) === undefined ? 'must be a size such as 512M or a share such as 10%' : undefined;
}

/** What is wrong with the text of a reserve; `undefined` if it is valid. */
export function findReserveFault(text: string): string | undefined {
  return parseReserve(text) === undefined ? 'must be auto, a size such as 512M or a share such as 5%' : undefined;
}
