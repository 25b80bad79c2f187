/**
 * What is on record about the end of a run, wherever it stands: in the words of this node's supervisor, in the log of
 * an earlier one, or in the files that the launcher of an older version left.
 */
import { nameSignal, type Exit } from './directory/exit-file.js';
import { measureRun, readExit } from './directory/run-directory.js';
import { readLegacyEnd } from './legacy/legacy-launcher.js';
import { isAlive } from './processes/process-table.js';
import type { RunHandle } from './runner.js';
import type { FormerSupervisor } from './supervisor/former-supervisor.js';
import type { RunRecord } from './supervisor/run-record.js';

/** What a run left. */
export interface Remains {
  /** The command may have been started. */
  readonly isStarted: boolean;
  readonly exit: Exit | undefined;
  /** Why its watchdog ended the run, if it did. */
  readonly ended: string | undefined;
  /** Milliseconds that it ran; `undefined` when nobody measured it. */
  readonly ranMs: number | undefined;
}

/** How the end of a run is found. */
export interface RunEvidence {
  /** The value of {@link RUN_MARK_VARIABLE} in the environment of what it started. */
  readonly mark: string;
  /** Why it is over, for a run whose end nobody reports; `undefined` while it is not. */
  findEnd(): string | undefined;
  /** What it left; call it once all its processes are gone. Throws when a file cannot be read. */
  readRemains(): Remains;
}

/** Evidence about a run of a supervisor. */
export interface SupervisedEvidence extends RunEvidence {
  /** The supervisor reported its end. */
  conclude(record: RunRecord): void;
  /** Nobody reports any more: from now on the files of its supervisor are read. */
  follow(supervisor: FormerSupervisor): void;
}

/** Creates the evidence about run `id` of a supervisor. */
export function createSupervisedEvidence(
  { id, directory, mark, isFreezable }: RunIdentity,
  supervisor?: FormerSupervisor,
): SupervisedEvidence {
  let former = supervisor;
  let concluded: RunRecord | undefined;
  const readRecord = (): RunRecord | undefined => concluded ?? former?.records.runs.get(id);
  return {
    mark,
    conclude: (record) => (concluded = record),
    follow: (next) => (former = next),
    findEnd: () => {
      if (former === undefined) return undefined;
      const isDead = former.isDead();
      // In this order: what it wrote as its last is read after it is known to be dead.
      former.refresh();
      if (readRecord()?.end !== undefined) return 'it ended';
      return isDead ? SUPERVISOR_GONE : undefined;
    },
    readRemains: () => {
      const record = readRecord();
      return {
        isStarted: record?.handle !== undefined,
        exit: isFreezable ? readExit(directory) : toExit(record?.end),
        ended: record?.stopReason,
        ranMs: record?.end?.ranMs,
      };
    },
  };
}

/** What identifies a run of a supervisor. */
export interface RunIdentity {
  readonly id: number;
  readonly directory: string;
  readonly mark: string;
  /** It runs in a pid namespace, whose init records its exit code. */
  readonly isFreezable: boolean;
}

const SUPERVISOR_GONE = 'its supervisor is gone';

function toExit(end: RunRecord['end']): Exit | undefined {
  if (end === undefined) return undefined;
  const { code, signal, cpuMs } = end;
  return { exitCode: code, signal: signal === 0 ? null : nameSignal(128 + signal), cpuS: cpuMs / 1000 };
}

/** Creates the evidence about a run that the launcher of an older version started. */
export function createLegacyEvidence(directory: string, handle: RunHandle): RunEvidence {
  return {
    mark: `${handle.pid}.${handle.start}`,
    findEnd: () => (isAlive(handle) ? undefined : 'its launcher is gone'),
    readRemains: () => {
      const { isStarted, ended } = readLegacyEnd(directory);
      return { isStarted, ended, exit: readExit(directory), ranMs: measureRun(directory) };
    },
  };
}
