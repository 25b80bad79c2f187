/**
 * What a supervisor has recorded: the runs that it started and how they ended. It is built from lines, as they are
 * reported or as they stand in the log.
 */
import type { RunHandle } from '../runner.js';
import type { FailedStep, LeaderEnd, RunMode, SupervisorLine } from './lines.js';

/** One run as far as its supervisor has recorded it. */
export interface RunRecord {
  readonly id: number;
  readonly slot: number;
  /** When it was begun, in milliseconds of the machine's monotonic clock. */
  readonly at: number;
  /** Milliseconds from then to its wall-clock limit; Infinity for none. */
  readonly limitMs: number;
  readonly mode: RunMode;
  readonly directory: string;
  /** Its leader, once it has been started. */
  readonly handle?: RunHandle;
  readonly failure?: { readonly step: FailedStep; readonly error: string };
  /** Why the supervisor ended it. */
  readonly stopReason?: string;
  readonly end?: LeaderEnd;
}

/** All that one supervisor has recorded. */
export interface SupervisorRecords {
  /** The supervisor itself; `undefined` before its first line. */
  handle: RunHandle | undefined;
  kind: string;
  /** Number of its last doubt. */
  doubt: number;
  /** It has read everything that it will ever read. */
  isOrphan: boolean;
  readonly runs: Map<number, RunRecord>;
}

/** Creates empty records. */
export function createRecords(): SupervisorRecords {
  return { handle: undefined, kind: '', doubt: 0, isOrphan: false, runs: new Map() };
}

/** Adds a line to the records. */
export function recordLine(records: SupervisorRecords, line: SupervisorLine): void {
  switch (line.word) {
    case 'supervisor':
      records.handle = line.handle;
      records.kind = line.kind;
      return;
    case 'doubt':
      records.doubt = line.number;
      return;
    case 'orphan':
      records.isOrphan = true;
      return;
    case 'begin': {
      const { word: _, ...run } = line;
      records.runs.set(line.id, run);
      return;
    }
    default:
      records.runs.set(line.id, { ...findRun(records, line.id), ...readNews(line) });
  }
}

/** A node is not told of a `begin` line by every supervisor, and needs none for a run that it started itself. */
function findRun({ runs }: SupervisorRecords, id: number): RunRecord {
  return runs.get(id) ?? { id, slot: 0, at: 0, limitMs: Infinity, mode: 'plain', directory: '' };
}

function readNews(
  line: Extract<SupervisorLine, { word: 'start' | 'fail' | 'stop' | 'end' }>,
): Pick<RunRecord, 'handle' | 'failure' | 'stopReason' | 'end'> {
  switch (line.word) {
    case 'start':
      return { handle: line.handle };
    case 'fail':
      return { failure: { step: line.step, error: line.error } };
    case 'stop':
      return { stopReason: line.reason };
    case 'end':
      return { end: line.end };
  }
}

/** The value of the run mark: unique to one start of one run, and known before it starts. */
export function formatRunMark({ pid, start }: RunHandle, id: number): string {
  return `${pid}.${start}.${id}`;
}
