/**
 * Parses what the init of a pid namespace writes when the command ends, as the launchers of older versions did: exit
 * code and CPU times. An incomplete file is ignored, because its writer may have died while writing.
 */
import { constants } from 'node:os';

/** How a command ended. */
export interface Exit {
  readonly exitCode: number;
  /** Name of the signal for a code of 128 + n; a command that exits with 143 itself looks the same. */
  readonly signal: string | null;
  /** CPU seconds, user and system, of the command and the children it waited for. */
  readonly cpuS: number;
}

/** Parses the text of `exit`, which was written over white space; `undefined` when it is incomplete. */
export function parseExitFile(text: string): Exit | undefined {
  const match = /^(\d{1,3})\n\S+ \S+\n(\S+) (\S+)\nend\n\s*$/.exec(text);
  const [, code, user, system] = match ?? [];
  if (code === undefined || user === undefined || system === undefined) return undefined;
  const exitCode = Number(code);
  return { exitCode, signal: nameSignal(exitCode), cpuS: round(parseTime(user) + parseTime(system)) };
}

/** Returns the signal of an exit code of 128 + n, `null` for any other code. */
export function nameSignal(exitCode: number): string | null {
  const found = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128);
  return found?.[0] ?? null;
}

/** Parses `1m2.34s`, as shells print times (some locales use a comma), into seconds; 0 when it is malformed. */
function parseTime(text: string): number {
  const match = /^(\d+)m(\d+(?:[.,]\d+)?)s$/.exec(text);
  const [, minutes, seconds] = match ?? [];
  if (minutes === undefined || seconds === undefined) return 0;
  return Number(minutes) * 60 + Number(seconds.replace(',', '.'));
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
