/** Reads the values of flags that are not configuration keys. */
import { BadInput } from './failure.js';

/** Reads a number above zero. Throws {@link BadInput}. */
export function readPositive(field: string, text: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value > 0) return value;
  throw new BadInput(field, text, 'must be a number above 0');
}

/** Reads a whole number from `min` to `max`. Throws {@link BadInput}. */
export function readWhole(field: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new BadInput(field, text, `must be a whole number from ${min} to ${max}`);
}

const SIZES: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** Reads bytes from `512M`, `2g`, `1.5GiB` or a bare number of bytes. Throws {@link BadInput}. */
export function readSize(field: string, text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  const factor = SIZES[unit.toLowerCase()];
  if (number !== '' && factor !== undefined) return Math.round(Number(number) * factor);
  throw new BadInput(field, text, 'must be a size such as 512M or 2G');
}

const DURATIONS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads ms from `500ms`, `90s`, `5m`, `2h`, `1d` or a bare number of seconds. Throws {@link BadInput}. */
export function readDuration(field: string, text: string): number {
  const [, number = '', unit = 's'] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text) ?? [];
  const ms = Math.round(Number(number) * (DURATIONS[unit] ?? Number.NaN));
  if (number !== '' && ms > 0) return ms;
  throw new BadInput(field, text, 'must be a duration such as 90s, 5m or 2h');
}

/** Reads a whole number of at least `min`. Throws {@link BadInput}. */
export function readCount(flag: string, value: unknown, min: number): number {
  const count = Number(value);
  if (Number.isSafeInteger(count) && count >= min) return count;
  throw new BadInput(flag, String(value), `must be a whole number, ${min} or more`);
}
