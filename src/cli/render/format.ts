/** Formats numbers, times and states for people. Pure. */
import type { Direction, Trit } from '../../protocol/messages.js';

/** `+1 PLUS`, `0 ERGODIC`, `-1 MINUS`. */
export function nameTrit(trit: Trit): string {
  if (trit === 1) return '+1 PLUS';
  return trit === 0 ? ' 0 ERGODIC' : '-1 MINUS';
}

/** A number with its sign: `+2`, `0`, `-1`. */
export function formatSigned(value: number): string {
  return value > 0 ? `+${value}` : String(value);
}

/** What a direction means for work. */
export function explainDirection(direction: Direction): string {
  switch (direction) {
    case 'shed':
      return 'PLUS nodes offer waiting and movable work';
    case 'wake':
      return 'deferred work wakes on MINUS nodes';
    case 'rest':
      return 'nothing has to move';
  }
}

/** Bytes in the largest unit that leaves a number of at least 1: `1.5 MiB`. */
export function formatByteCount(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? 'B'}`;
}

/** Seconds as `42s`, `5m`, `3h`, `2d`. */
export function formatAge(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)}s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.round(seconds / 3600)}h` : `${Math.round(seconds / 86_400)}d`;
}

/** `1 item`, `2 items`. */
export function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** Milliseconds of a run: `340 ms`, `12.3 s`, `5m`. */
export function formatRun(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : formatAge(ms / 1000);
}

/** Untrusted text for one line of a terminal: control characters, which could control it, become `?`. */
export function showText(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}
