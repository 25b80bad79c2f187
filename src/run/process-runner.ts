/**
 * The Runner port's adapter for local processes: has the supervisor start them (see docs/internals/supervisor.md) and
 * finds the runs of an earlier node process again. It decides nothing about items or leases.
 */
import { Subject } from 'rxjs';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { Clock } from '../clock/clock.js';
import type { Containers } from '../container/containers.js';
import { createAdoption } from './adopt-runs.js';
import { createContainerRuns } from './container/container-runs.js';
import { LOOK_MS } from './watchdog/deadline.js';
import { createExternalRuns } from './external-runs.js';
import { freezableOf } from './freeze/freezable-run.js';
import { createFreezer, type Freezable } from './freeze/freezer.js';
import { createOutputGuard, type OutputRules } from './output/output-guard.js';
import { tryReadProcessTable } from './processes/process-table.js';
import { listNamespaceProcesses } from './processes/run-signals.js';
import { createRunStarts, NO_CHECKPOINT } from './launch/start-runs.js';
import type { LiveRun } from './live-run.js';
import { createRunWatch } from './run-watch.js';
import type { RunEvent, RunHandle, Runner, SaveRequest } from './runner.js';
import { listSessionProcesses } from './processes/session.js';
import { createSpareDirectory } from './directory/spare-directory.js';
import { openFormerSupervisors, type FormerSupervisors } from './supervisor/former-supervisors.js';
import { listSupervisorPrograms, SUPERVISOR_VARIABLE, type SupervisorProgram } from './supervisor/program-path.js';
import { createSupervisorPool } from './supervisor/supervisor-pool.js';

/** Dependencies and settings of a process runner. */
export interface ProcessRunnerOptions {
  readonly clock: Clock;
  /** Absolute directory of the supervisors of this node, which runs outlive it in; used by one runner at a time. */
  readonly supervisors: string;
  /**
   * Absolute directory, used by this runner alone and on the file system of the runs, where run directories are
   * prepared.
   */
  readonly spares?: string | undefined;
  /** Programs of the supervisor, best first; by default those that came with this package. */
  readonly programs?: readonly SupervisorProgram[] | undefined;
  /** Without it nothing can be frozen or restored, and no external process can become a run. */
  readonly checkpoint?: Checkpoint | undefined;
  /** Without it, or without `checkpoint`, containers are not moved as a whole. */
  readonly containers?: Containers | undefined;
  /** Limits on what runs may write; without them only free space limits it. */
  readonly output?: OutputRules | undefined;
}

const UNBOUND: OutputRules = {
  output: { percent: 100, bytes: Number.MAX_SAFE_INTEGER },
  reserve: { percent: 0, bytes: 0 },
};

/** Creates the runner of local processes. Events are emitted after the call that caused them has returned. */
export function createProcessRunner(options: ProcessRunnerOptions): Runner {
  const { clock, spares, checkpoint, containers, output = UNBOUND } = options;
  const events = new Subject<RunEvent>();
  let isClosed = false;
  const tell = (event: RunEvent): void => (isClosed ? undefined : events.next(event));
  const tellLater = (event: RunEvent): void => queueMicrotask(() => tell(event));
  const former = openFormerSupervisors(options.supervisors, clock.scheduler);
  const later = createLater(former, () => isClosed);

  const freezer = checkpoint === undefined ? undefined : createFreezer(clock, checkpoint, tell);
  const external =
    checkpoint === undefined || freezer === undefined
      ? undefined
      : createExternalRuns(clock, checkpoint, freezer, tell);
  const contained =
    checkpoint === undefined || containers === undefined
      ? undefined
      : createContainerRuns({ clock, checkpoint, containers }, tell);
  const supervisors = createSupervisorPool({
    scheduler: clock.scheduler,
    programs: options.programs ?? listSupervisorPrograms(process.env[SUPERVISOR_VARIABLE]),
    place: options.supervisors,
    lastNumber: former.lastNumber,
    path: process.env['PATH'],
  });
  const spare = spares === undefined ? undefined : createSpareDirectory(spares, clock.scheduler);
  const guard = createOutputGuard(clock, output, (run, reason) => tell({ type: 'OutputExceeded', run, reason }));
  const watch = createRunWatch({
    clock,
    output: guard,
    tell,
    isStill: (live) => freezer?.isStill(freezableOf(live)) ?? false,
    explain: (directory) => checkpoint?.explain(directory) ?? NO_CHECKPOINT,
    clean: (directory) => checkpoint?.clean(directory),
  });
  const starts = createRunStarts({
    clock,
    checkpoint,
    supervisors,
    spare,
    watch,
    tell,
    tellLater,
    isClosed: () => isClosed,
  });
  const adoptRun = createAdoption({ clock, checkpoint, former, watch, tell, tellLater });

  const adopt = (run: string, directory: string, told: RunHandle | null): void => {
    if (watch.runs.has(run) || external?.has(run) === true || contained?.has(run) === true) return;
    if (contained?.adopt(run, directory) === true || external?.adopt(run, directory) === true) return;
    adoptRun(run, directory, told);
  };

  /** An adoption that fails to read (no descriptors left) proves nothing and is retried. */
  const adoptSurely = (run: string, directory: string, told: RunHandle | null): void => {
    try {
      adopt(run, directory, told);
    } catch {
      if (watch.runs.get(run)?.isEnding === false) watch.forget(run);
      clock.scheduler.schedule(() => (isClosed ? undefined : adoptSurely(run, directory, told)), LOOK_MS);
    }
  };

  const extend = (run: string, guardMs: number): void => {
    const live = watch.runs.get(run);
    if (live !== undefined) live.deadline.extend(guardMs);
    else if (contained?.has(run) === true) contained.extend(run, guardMs);
    else starts.extend(run, guardMs);
  };

  const stopLive = (live: LiveRun, graceMs: number, ask?: SaveRequest): void => {
    const end = (): void => watch.stop(live, graceMs, 'stopped');
    if (ask !== undefined) watch.ask(live, ask, end);
    else if (freezer === undefined || live.namespace === undefined) end();
    else if (freezer.isStill(freezableOf(live)) || graceMs <= 0) end();
    // A dump in progress would stop the run again after its SIGTERM.
    else freezer.settle(freezableOf(live), end);
  };

  const stop = (run: string, graceMs: number, ask?: SaveRequest): void => {
    if (contained?.has(run) === true) return contained.stop(run, graceMs);
    const live = watch.runs.get(run);
    if (live !== undefined) return stopLive(live, graceMs, ask);
    // It may run already, and its supervisor's word of it be on the way.
    if (!starts.cancel(run, (late) => stopLive(late, graceMs, ask))) external?.stop(run);
  };

  const findFreezable = (run: string): Freezable | undefined => {
    const live = watch.runs.get(run);
    return live === undefined ? external?.find(run) : freezableOf(live);
  };

  const freeze = (run: string): void => {
    if (contained?.has(run) === true) return contained.freeze(run);
    const target = findFreezable(run);
    if (freezer === undefined) return tell({ type: 'FreezeFailed', run, reason: NO_CHECKPOINT });
    if (target === undefined) return tell({ type: 'FreezeFailed', run, reason: 'it does not run here' });
    freezer.freeze(target);
  };

  const thaw = (run: string): void => {
    if (contained?.has(run) === true) return contained.thaw(run);
    const target = findFreezable(run);
    if (freezer === undefined || target === undefined) return tell({ type: 'RunThawed', run });
    freezer.thaw(target);
  };

  return {
    events$: events.asObservable(),
    start: (order) => {
      if (contained?.isCopy(order) === true) later(() => contained.start(order));
      else starts.start(order);
    },
    adopt: (run, directory, handle) => later(() => adoptSurely(run, directory, handle)),
    heed: (run, reading, forMs) => later(() => guard.heed(run, reading, forMs)),
    // Queued like `adopt`, so that they run after an earlier `adopt` of the same run: a stop that overtook it would
    // be lost.
    extend: (run, guardMs) => later(() => extend(run, guardMs)),
    stop: (run, graceMs, ask) => later(() => stop(run, graceMs, ask)),
    freeze: (run) => later(() => freeze(run)),
    thaw: (run) => later(() => thaw(run)),
    take: (run, directory, process) =>
      later(() => {
        if (contained?.isMember(process.pid) === true) contained.take(run, directory, process);
        else if (external === undefined) tell({ type: 'RunFailed', run, reason: NO_CHECKPOINT });
        else external.take(run, directory, process);
      }),
    pids: () =>
      new Map([...listPids([...watch.runs.values()]), ...(external?.pids() ?? []), ...(contained?.pids() ?? [])]),
    close: () => {
      isClosed = true;
      watch.close();
      external?.close();
      contained?.close();
      supervisors.close();
      former.close();
      spare?.close();
      events.complete();
    },
  };
}

/**
 * Returns how to call work after the current call has returned, and in order. Until the supervisors of earlier boots
 * have read their last word it is kept: nothing may be decided about a run before.
 */
function createLater(former: FormerSupervisors, isClosed: () => boolean): (work: () => void) => void {
  let kept: (() => void)[] | undefined = [];
  const run = (work: () => void): void => queueMicrotask(() => (isClosed() ? undefined : work()));
  former.whenSettled(() => {
    const works = kept ?? [];
    kept = undefined;
    for (const work of works) run(work);
  });
  return (work) => void (kept === undefined ? run(work) : kept.push(work));
}

/** The pids of runs. Processes in a pid namespace have sessions of their own and are found by descent. */
function listPids(runs: readonly LiveRun[]): ReadonlyMap<string, readonly number[]> {
  const pids = runs.map(({ handle }) => handle.pid);
  const members = listSessionProcesses(pids, tryReadProcessTable);
  return new Map(
    runs.map(({ run, handle: { pid }, namespace }) => {
      const own = members.get(pid) ?? [];
      return [run, namespace === undefined ? own : [...new Set([...own, ...listNamespaceProcesses(pid)])]];
    }),
  );
}
