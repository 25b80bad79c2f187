/** Sends a start to the supervisor and connects what it reports about the run with the watch. */
import type { Clock } from '../../clock/clock.js';
import { readLastPid } from '../processes/left-behind.js';
import { readMonotonicMs, WALL_GRACE_MS, type Timing } from '../directory/run-directory.js';
import { createSupervisedEvidence } from '../run-evidence.js';
import type { LiveRun } from '../live-run.js';
import type { RunWatch } from '../run-watch.js';
import type { StartRequest } from '../runner.js';
import { createSupervisedDeadlines } from '../supervisor/deadline-stores.js';
import type { FormerSupervisor } from '../supervisor/former-supervisor.js';
import type { RunWitness, Supervisor } from '../supervisor/supervisor.js';
import { followDeadline } from '../watchdog/deadline.js';
import type { ComposedStart } from './compose-start.js';

/** A start that can be sent. */
export interface ReadyStart {
  readonly order: StartRequest;
  readonly supervisor: Supervisor;
  readonly timing: Timing;
  readonly composed: ComposedStart;
  readonly id: number;
  readonly mark: string;
  readonly watch: RunWatch;
}

/** What becomes of it. */
export interface SentStartEvents {
  started(live: LiveRun): void;
  failed: RunWitness['failed'];
  /** It may have been started, and nothing is left that could tell. */
  died(reason: string): void;
}

/** Sends it. Throws a RangeError when the command cannot be sent. */
export function sendStart(ready: ReadyStart, events: SentStartEvents): void {
  const { order, supervisor, timing, composed, id, mark, watch } = ready;
  const { run, directory, guardMs, command } = order;
  const { clock, since, doubted } = timing;
  const { namespace } = composed;
  const startedAt = readMonotonicMs();
  const passedMs = clock.now() - since;
  const leaseMs = guardMs - passedMs;
  const wallMs = leftWallMs(command.wall_ms, namespace?.kind === 'restored' ? namespace.wallMs : 0) - passedMs;
  const evidence = createSupervisedEvidence({ id, directory, mark, isFreezable: namespace !== undefined });
  const stores = createSupervisedDeadlines(id, supervisor);
  const afterPid = readLastPid();
  let live: LiveRun | undefined;

  const follow = (handle: LiveRun['handle'], isAdopted: boolean): LiveRun => {
    const deadline = followDeadline(stores, clock, leaseMs - (clock.now() - since - passedMs), doubted);
    const prepared = { deadline, wallMs, startedAt, namespace };
    return watch.follow({ run, directory, handle, prepared, evidence, isAdopted, since, afterPid });
  };

  supervisor.start(
    { ...composed.frame, id, leaseMs, limitMs: wallMs + 2 * WALL_GRACE_MS },
    {
      started: (handle) => {
        live = follow(handle, false);
        events.started(live);
      },
      failed: events.failed,
      doubted: () => void live?.deadline.isDoubted(),
      ended: (record) => {
        evidence.conclude(record);
        if (live !== undefined) watch.settle(live, 'its supervisor could not tell how it ended');
      },
      lost: (former) => {
        evidence.follow(former);
        stores.follow(former);
        if (live !== undefined) return watch.adopt(live);
        awaitWord(former, id, clock, {
          ...events,
          started: (handle) => {
            live = follow(handle, true);
            events.started(live);
          },
        });
      },
    },
  );
}

/** How often the log of a lost supervisor is looked at for a run that it may still start, in milliseconds. */
const LOOK_MS = 20;

/** Waits until the log of a lost supervisor tells whether a run was started. */
function awaitWord(
  former: FormerSupervisor,
  id: number,
  clock: Clock,
  events: Pick<RunWitness, 'started' | 'failed'> & Pick<SentStartEvents, 'died'>,
): void {
  const isDead = former.isDead();
  // In this order: what it wrote as its last is read after it is known to be dead.
  former.refresh();
  const record = former.records.runs.get(id);
  if (record?.failure !== undefined) events.failed(record.failure.step, record.failure.error);
  else if (record?.handle !== undefined) events.started(record.handle);
  else if (record !== undefined && isDead) events.died('its supervisor ended as it started it');
  else if (isDead || former.records.isOrphan) events.failed('fork', 'its supervisor ended before it started it');
  else clock.scheduler.schedule(() => awaitWord(former, id, clock, events), LOOK_MS);
}

/** Time that a copy used elsewhere counts against its limit. */
function leftWallMs(wallMs: number | undefined, usedMs: number): number {
  return wallMs === undefined ? Infinity : Math.max(0, wallMs - usedMs);
}
