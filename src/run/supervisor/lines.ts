/**
 * The lines of a supervisor's log, which are also what it reports to its node: see docs/internals/supervisor.md. It
 * formats and parses them and decides nothing.
 */
import type { RunHandle } from '../runner.js';

/** How a run is started: `namespace` for one that can be frozen. */
export type RunMode = 'plain' | 'namespace';

/** What a supervisor could not do as it started a run. */
export type FailedStep = 'log' | 'fork' | 'cwd' | 'stdin' | 'stdout' | 'stderr' | 'exec';

/** How the leader of a run ended. */
export interface LeaderEnd {
  /** 128 + n when signal n ended it. */
  readonly code: number;
  /** Number of the signal; 0 when it exited. */
  readonly signal: number;
  /** Processor time of it and of the children that it waited for, in milliseconds. */
  readonly cpuMs: number;
  /** Milliseconds from its start to its end. */
  readonly ranMs: number;
}

/** A line. `id` numbers the runs of one supervisor. */
export type SupervisorLine =
  | { readonly word: 'supervisor'; readonly kind: string; readonly handle: RunHandle }
  | {
      readonly word: 'begin';
      readonly id: number;
      readonly slot: number;
      /** Milliseconds of the machine's monotonic clock. */
      readonly at: number;
      /** Milliseconds until its wall-clock limit; Infinity for none. */
      readonly limitMs: number;
      readonly mode: RunMode;
      readonly directory: string;
    }
  | { readonly word: 'start'; readonly id: number; readonly handle: RunHandle }
  | { readonly word: 'fail'; readonly id: number; readonly step: FailedStep; readonly error: string }
  | { readonly word: 'doubt'; readonly number: number }
  | { readonly word: 'stop'; readonly id: number; readonly reason: string }
  | { readonly word: 'end'; readonly id: number; readonly end: LeaderEnd }
  | { readonly word: 'orphan' };

/** Version of the protocol: lines, frames and files. */
export const SUPERVISOR_VERSION = 1;

/** Ends every line, so that one that was cut off is recognized. */
const TAIL = ' .';

/** Formats a line, with its line end. */
export function formatLine(line: SupervisorLine): string {
  return `${listFields(line).join(' ')}${TAIL}\n`;
}

function listFields(line: SupervisorLine): readonly (string | number)[] {
  switch (line.word) {
    case 'supervisor':
      return [line.word, SUPERVISOR_VERSION, line.kind, line.handle.pid, line.handle.start];
    case 'begin': {
      const limit = Number.isFinite(line.limitMs) ? Math.max(0, Math.round(line.limitMs)) : '-';
      return [line.word, line.id, line.slot, Math.round(line.at), limit, line.mode, line.directory];
    }
    case 'start':
      return [line.word, line.id, line.handle.pid, line.handle.start];
    case 'fail':
      return [line.word, line.id, line.step, line.error];
    case 'doubt':
      return [line.word, line.number];
    case 'stop':
      return [line.word, line.id, line.reason];
    case 'end': {
      const { code, signal, cpuMs, ranMs } = line.end;
      return [line.word, line.id, code, signal, Math.round(cpuMs), Math.round(ranMs)];
    }
    case 'orphan':
      return [line.word];
  }
}

/** Parses a line without its line end; `undefined` when it is cut off, or of a kind that this version does not know. */
export function parseLine(text: string): SupervisorLine | undefined {
  if (!text.endsWith(TAIL)) return undefined;
  const line = text.slice(0, -TAIL.length);
  const word = line.split(' ', 1)[0] ?? '';
  const match = PATTERNS[word]?.exec(line);
  return match === null || match === undefined ? undefined : READERS[word]?.(match.slice(1));
}

/** Parses a log, or what was read of it: the lines up to the first empty one, and the length of their text. */
export function parseLines(text: string): { readonly lines: readonly SupervisorLine[]; readonly length: number } {
  const lines: SupervisorLine[] = [];
  let at = 0;
  for (let end = text.indexOf('\n', at); end > at; end = text.indexOf('\n', at)) {
    const line = parseLine(text.slice(at, end));
    if (line !== undefined) lines.push(line);
    at = end + 1;
  }
  return { lines, length: at };
}

const PATTERNS: Readonly<Record<string, RegExp>> = {
  supervisor: /^supervisor 1 (\S+) (\d+) (.*)$/s,
  begin: /^begin (\d+) (\d+) (\d+) (\d+|-) (plain|namespace) (.*)$/s,
  start: /^start (\d+) (\d+) (.*)$/s,
  fail: /^fail (\d+) (log|fork|cwd|stdin|stdout|stderr|exec) (.*)$/s,
  doubt: /^doubt (\d+)$/,
  stop: /^stop (\d+) (.*)$/s,
  end: /^end (\d+) (\d+) (\d+) (\d+) (\d+)$/,
  orphan: /^orphan$/,
};

const READERS: Readonly<Record<string, (fields: readonly string[]) => SupervisorLine>> = {
  supervisor: ([kind = '', pid, start = '']) => ({ word: 'supervisor', kind, handle: { pid: Number(pid), start } }),
  begin: ([id, slot, at, limit, mode, directory = '']) => ({
    word: 'begin',
    id: Number(id),
    slot: Number(slot),
    at: Number(at),
    limitMs: limit === '-' ? Infinity : Number(limit),
    mode: mode === 'namespace' ? mode : 'plain',
    directory,
  }),
  start: ([id, pid, start = '']) => ({ word: 'start', id: Number(id), handle: { pid: Number(pid), start } }),
  fail: ([id, step, error = '']) => ({ word: 'fail', id: Number(id), step: step as FailedStep, error }),
  doubt: ([number]) => ({ word: 'doubt', number: Number(number) }),
  stop: ([id, reason = '']) => ({ word: 'stop', id: Number(id), reason }),
  end: ([id, code, signal, cpuMs, ranMs]) => ({
    word: 'end',
    id: Number(id),
    end: { code: Number(code), signal: Number(signal), cpuMs: Number(cpuMs), ranMs: Number(ranMs) },
  }),
  orphan: () => ({ word: 'orphan' }),
};
