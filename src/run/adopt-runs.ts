/**
 * Takes up the runs of an earlier node process. It decides from what is on record about each: never started, ended, or
 * alive. It must never take a run for ended while a process of it is alive, nor for never started when it may have
 * been.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { Clock } from '../clock/clock.js';
import { forbidStart, readMonotonicMs, WALL_GRACE_MS, type PreparedLaunch } from './directory/run-directory.js';
import { awaitRestored } from './freeze/await-restored.js';
import { NAMESPACE_FILES } from './freeze/pid-namespace.js';
import { readNamespaceHead } from './launch/namespace-script.js';
import { explainFailure, reportFault } from './launch/unstarted.js';
import { readLegacyHead, readLegacyTerms } from './legacy/legacy-launcher.js';
import { endUnknown } from './processes/end-left-behind.js';
import { isOfThisBoot } from './processes/process-table.js';
import { createLegacyEvidence, createSupervisedEvidence } from './run-evidence.js';
import type { LiveRun } from './live-run.js';
import type { RunWatch } from './run-watch.js';
import type { RunEvent, RunHandle, StartRequest } from './runner.js';
import { createFormerDeadlines } from './supervisor/deadline-stores.js';
import type { FormerRun, FormerSupervisors } from './supervisor/former-supervisors.js';
import { formatRunMark, type RunRecord } from './supervisor/run-record.js';
import { followDeadline } from './watchdog/deadline.js';

/** What adoption works with. */
export interface AdoptRunsDeps {
  readonly clock: Clock;
  readonly checkpoint: Checkpoint | undefined;
  readonly former: FormerSupervisors;
  readonly watch: RunWatch;
  tell(event: RunEvent): void;
  tellLater(event: RunEvent): void;
}

/** Adopts a run, as in the Runner port. Throws when something about it cannot be read, which proves nothing. */
export type AdoptRun = (run: string, directory: string, told: RunHandle | null) => void;

/** Creates the adoption of one runner; call it only once the former supervisors are settled. */
export function createAdoption(deps: AdoptRunsDeps): AdoptRun {
  const { former } = deps;
  return (run, directory, told) => {
    const found = former.find(directory);
    if (found !== undefined) return adoptSupervised(deps, run, directory, found);
    // A power loss may have taken the last lines of the log with it.
    const isUnsure = former.isOfEarlierBoot() && existsSync(directory);
    adoptUnrecorded(deps, run, directory, told, isUnsure);
  };
}

function adoptSupervised(deps: AdoptRunsDeps, run: string, directory: string, { supervisor, id }: FormerRun): void {
  const { clock, watch, tell, tellLater } = deps;
  const record = supervisor.records.runs.get(id);
  const mark = formatRunMark(supervisor.records.handle ?? { pid: 0, start: '@' }, id);
  if (record?.failure !== undefined) return reportFailure(run, record, record.failure, tell);
  if (record?.handle === undefined) {
    const died = { type: 'RunDied', run, reason: 'its supervisor ended as it started it' } as const;
    return endUnknown({ directory, mark }, clock, () => tell(died));
  }
  if (record.end !== undefined && !existsSync(directory)) {
    return tell({ type: 'RunDied', run, reason: 'its directory is gone' });
  }
  const namespace = record.mode === 'namespace' ? readNamespaceHead(directory) : undefined;
  const doubted = (): void => tellLater({ type: 'RunDoubted', run });
  const prepared: PreparedLaunch = {
    deadline: followDeadline(createFormerDeadlines(id, supervisor), clock, undefined, doubted),
    wallMs: record.at + record.limitMs - readMonotonicMs() - 2 * WALL_GRACE_MS,
    startedAt: record.at,
    namespace,
  };
  const isFreezable = record.mode === 'namespace';
  const evidence = createSupervisedEvidence({ id, directory, mark, isFreezable }, supervisor);
  const { handle } = record;
  follow(deps, watch.follow({ ...adopted(clock), run, directory, handle, prepared, evidence }));
}

/** It was to be started and could not be: the message is there already, or is written now. */
function reportFailure(
  run: string,
  { directory }: RunRecord,
  { step, error }: NonNullable<RunRecord['failure']>,
  tell: (event: RunEvent) => void,
): void {
  const order: StartRequest = { run, directory, command: NO_COMMAND, environment: {}, guardMs: 0 };
  const failure =
    step === 'exec' || step === 'stdin'
      ? {
          exitCode: error === 'ENOENT' && step === 'exec' ? (127 as const) : (126 as const),
          sentence: `tritmesh: ${SENTENCES[step]} (${error})`,
        }
      : explainFailure(order, step, error);
  if ('reason' in failure) tell({ type: 'RunFailed', run, reason: failure.reason });
  else reportFault(order, failure, tell);
}

const SENTENCES = {
  exec: 'the program could not be executed',
  stdin: 'the file for stdin could not be opened',
} as const;

const NO_COMMAND: StartRequest['command'] = { argv: [], env: {}, outputs: [], migrate: 'never' };

/** No supervisor has it on record: it was never started, or the launcher of an older version did. */
function adoptUnrecorded(
  deps: AdoptRunsDeps,
  run: string,
  directory: string,
  told: RunHandle | null,
  isUnsure: boolean,
): void {
  const { clock, watch, tell, tellLater } = deps;
  const start = forbidStart(directory);
  if (start === 'forbidden' && (isUnsure || (told !== null && !isOfThisBoot(told.start)))) {
    return tell({ type: 'RunDied', run, reason: 'the machine was restarted' });
  }
  if (start === 'forbidden' || (start === 'absent' && told === null)) {
    return tell({ type: 'RunFailed', run, reason: 'it was never started' });
  }
  const handle = told ?? readLegacyHead(directory)?.handle ?? { pid: 0, start: 'unknown' };
  const prepared = readLegacyTerms(directory, clock, () => tellLater({ type: 'RunDoubted', run }));
  const evidence = createLegacyEvidence(directory, handle);
  follow(deps, watch.follow({ ...adopted(clock), run, directory, handle, prepared, evidence }));
}

function adopted(clock: Clock): { readonly isAdopted: true; readonly since: number; readonly afterPid: undefined } {
  return { isAdopted: true, since: clock.now(), afterPid: undefined };
}

function follow({ clock, checkpoint, watch, tell }: AdoptRunsDeps, live: LiveRun): void {
  const { run, directory, handle } = live;
  const over = live.evidence.findEnd();
  if (over !== undefined) return watch.settle(live, 'nothing of it was left');
  if (isUnthawed(live)) awaitRestored(clock, watch, live, checkpoint?.read(directory)?.imageBytes ?? 0, tell);
  else tell({ type: 'RunStarted', run, handle });
}

/** Whether the run is a restored copy that was never thawed. */
function isUnthawed({ namespace, directory }: LiveRun): boolean {
  return namespace?.kind === 'restored' && !existsSync(join(directory, NAMESPACE_FILES.thawed));
}
