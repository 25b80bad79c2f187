/**
 * The supervisors of earlier boots of the node. Before anything is decided about a run of theirs, each must have read
 * its last word or be dead: until then it may still start what the earlier node asked for.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SchedulerLike } from 'rxjs';
import { isOfThisBoot } from '../processes/process-table.js';
import { signalProcess } from '../processes/session.js';
import { listSupervisors, openFormerSupervisor, type FormerSupervisor } from './former-supervisor.js';
import type { RunRecord } from './run-record.js';

/** A run of a supervisor that this node process has no pipe to. */
export interface FormerRun {
  readonly supervisor: FormerSupervisor;
  readonly id: number;
}

/** The supervisors of earlier boots. */
export interface FormerSupervisors {
  /** Calls `done` once no supervisor can start anything any more; at once in the usual case. */
  whenSettled(done: () => void): void;
  /** The newest run in a directory; `undefined` when none was ever begun there. */
  find(directory: string): FormerRun | undefined;
  /** Whether all of them ran before the machine was started: the last lines of their logs may be lost then. */
  isOfEarlierBoot(): boolean;
  /** The highest number in use; 0 when there is none. */
  readonly lastNumber: number;
  close(): void;
}

const LOOK_MS = 20;
/** One that neither goes on nor ends is killed after this long; its warden then ends its runs. */
const PATIENCE_MS = 10_000;

/** Opens the supervisors below `place`, and removes what is left of those whose runs are all gone. */
export function openFormerSupervisors(place: string, scheduler: SchedulerLike): FormerSupervisors {
  const numbers = listSupervisors(place);
  const all = numbers.map((number) => openFormerSupervisor(join(place, String(number)))).filter((one) => !sweep(one));
  const waiting: (() => void)[] = [];
  let waitedMs = 0;
  let isClosed = false;

  function isSettled(): boolean {
    return all.every((one) => {
      if (one.records.isOrphan) return true;
      const isDead = one.isDead();
      // In this order: what it wrote as its last is read after it is known to be dead.
      one.refresh();
      return one.records.isOrphan || isDead;
    });
  }

  function look(): void {
    if (isClosed) return;
    if (isSettled()) {
      for (const done of waiting.splice(0)) done();
      return;
    }
    waitedMs += LOOK_MS;
    if (waitedMs >= PATIENCE_MS) for (const one of all) killUnsettled(one);
    scheduler.schedule(look, LOOK_MS);
  }

  return {
    whenSettled: (done) => {
      waiting.push(done);
      if (waiting.length === 1) look();
    },
    find: (directory) => {
      for (const supervisor of all.toReversed()) {
        const found = [...supervisor.records.runs.values()].findLast((run) => run.directory === directory);
        if (found !== undefined) return { supervisor, id: found.id };
      }
      return undefined;
    },
    isOfEarlierBoot: () =>
      all.length > 0 && all.every(({ records }) => records.handle !== undefined && !isOfThisBoot(records.handle.start)),
    lastNumber: numbers.at(-1) ?? 0,
    close: () => {
      isClosed = true;
    },
  };
}

function killUnsettled({ records }: FormerSupervisor): void {
  if (!records.isOrphan && records.handle !== undefined) signalProcess(records.handle.pid, 'SIGKILL');
}

/** Removes the directory of a dead supervisor without any run directory left; false when it is kept. */
function sweep({ directory, records, isDead }: FormerSupervisor): boolean {
  const isNeeded = ({ directory: run }: RunRecord): boolean => existsSync(run);
  if (!isDead() || [...records.runs.values()].some(isNeeded)) return false;
  try {
    rmSync(directory, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}
