/**
 * What the launcher wrote when the command ended: exit code and cpu times. A file that is not whole counts as none,
 * because the launcher may have died while it wrote.
 */
import { constants } from 'node:os';

/** How a command ended. */
export interface Exit {
  readonly exitCode: number;
  /** Name of the signal that a code of 128 + n stands for; a command that exits with 143 by itself looks the same. */
  readonly signal: string | null;
  /** Seconds of cpu, user and system, of the command and of the children it waited for. */
  readonly cpuS: number;
}

/** Reads the file `exit`, which was written over white space; `undefined` when it is not whole. */
export function parseExitFile(text: string): Exit | undefined {
  const match = /^(\d{1,3})\n\S+ \S+\n(\S+) (\S+)\nend\n\s*$/.exec(text);
  const [, code, user, system] = match ?? [];
  if (code === undefined || user === undefined || system === undefined) return undefined;
  const exitCode = Number(code);
  return { exitCode, signal: nameSignal(exitCode), cpuS: round(parseTime(user) + parseTime(system)) };
}

/** Names the signal of an exit code of 128 + n, `null` for every other code. */
export function nameSignal(exitCode: number): string | null {
  const found = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128);
  return found?.[0] ?? null;
}

/** Seconds of `1m2.34s`, as the shell writes times (some with a comma, by locale); 0 for what it cannot read. */
function parseTime(text: string): number {
  const match = /^(\d+)m(\d+(?:[.,]\d+)?)s$/.exec(text);
  const [, minutes, seconds] = match ?? [];
  if (minutes === undefined || seconds === undefined) return 0;
  return Number(minutes) * 60 + Number(seconds.replace(',', '.'));
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
