/**
 * Manages runs that are containers: external ones found here, and copies from other nodes. podman cannot restore a
 * container in the stopped state, so a prepared copy comes into existence only when it is thawed. Operations on one
 * run are executed one at a time.
 */
import { interval, type Subscription } from 'rxjs';
import { describeError } from '../../os/errors.js';
import { describeUnprepared } from '../directory/run-directory.js';
import { adoptCopy, endOrphan, letGo, prepareCopy, readEnd, stopCopy } from './container-copies.js';
import { adoptExternal, CONTAINER_ENDED, describeExternal, endFrozen, takeExternal } from './external-containers.js';
import { readRunRecord, writeRunRecord, type ContainerRunRecord } from './run-record.js';
import { isMarkedFrozen, readWatchdogReport } from './container-watchdog.js';
import { freezeContainer, thawContainer, type ContainerMovesDeps, type MovedContainer } from './container-moves.js';
import { createFileDeadlines, followDeadline, LOOK_MS, type Deadline } from '../watchdog/deadline.js';
import { followLegacyDeadline, isLegacyDeadline } from '../legacy/legacy-deadline.js';
import { isAlive } from '../processes/process-table.js';
import type { ExternalProcess } from '../../protocol/item.js';
import type { RunEvent, StartRequest } from '../runner.js';

/** The containers of one runner. Methods without a comment are as in the Runner port. */
export interface ContainerRuns {
  has(run: string): boolean;
  /** Whether a start request restores a container. */
  isCopy(order: StartRequest): boolean;
  start(order: StartRequest): void;
  /** Whether a process is in a container. */
  isMember(pid: number): boolean;
  take(run: string, directory: string, process: ExternalProcess): void;
  /** Adopts a run after a node restart; false when the directory does not belong to a container. */
  adopt(run: string, directory: string): boolean;
  extend(run: string, guardMs: number): void;
  stop(run: string, graceMs: number): void;
  freeze(run: string): void;
  thaw(run: string): void;
  pids(): ReadonlyMap<string, readonly number[]>;
  close(): void;
}

interface ContainerRun extends MovedContainer {
  /** Operations running or queued; periodic checks leave the run alone meanwhile. */
  works: number;
  /** How many of them freeze or resume it. */
  moves: number;
  last: Promise<void>;
  /** Set for a copy; its watchdog enforces it. */
  deadline: Deadline | undefined;
  /** The copy was released, and has not been reported as running yet. */
  isThawing: boolean;
  isStopped: boolean;
}

type Work = () => Promise<RunEvent | undefined>;

const ENDS: ReadonlySet<RunEvent['type']> = new Set(['RunExited', 'RunDied', 'RunFailed', 'ThawFailed']);
const UNKNOWN: ContainerRunRecord = { kind: 'copy', id: '', handle: null, cpuS: 0, wallMs: 0 };
const NOBODY = { pid: 0, start: 'none' };

/** Creates the container runs of one runner; `tell` receives their events. */
export function createContainerRuns(parts: ContainerMovesDeps, tell: (event: RunEvent) => void): ContainerRuns {
  const { clock, checkpoint, containers } = parts;
  const runs = new Map<string, ContainerRun>();
  let looks: Subscription | undefined;

  function follow(run: string, directory: string, head: ContainerRunRecord): ContainerRun {
    const idle = { works: 0, moves: 0, last: Promise.resolve(), isThawing: false, isStopped: false };
    const deadline = undefined;
    const made: ContainerRun = { run, directory, head, handle: head.handle ?? NOBODY, deadline, ...idle };
    runs.set(run, made);
    looks ??= interval(LOOK_MS, clock.scheduler).subscribe(() => {
      for (const one of runs.values()) look(one);
    });
    return made;
  }

  function forget(run: string): void {
    runs.delete(run);
    if (runs.size > 0) return;
    looks?.unsubscribe();
    looks = undefined;
  }

  /** Queues an operation behind those in progress; it is skipped if the run has been forgotten by then. */
  function queue(target: ContainerRun, work: Work, fault: 'RunFailed' | 'RunDied' | 'FreezeFailed'): void {
    const { run } = target;
    const before = target.last;
    const perform = async (): Promise<void> => {
      await before;
      const isThere = (): boolean => runs.get(run) === target;
      const event = isThere() ? await work().catch((error: unknown) => failWork(run, fault, error)) : undefined;
      target.works -= 1;
      if (event !== undefined && isThere()) conclude(event);
    };
    target.works += 1;
    target.last = perform();
  }

  function queueMove(target: ContainerRun, work: Work, fault: 'RunDied' | 'FreezeFailed'): void {
    target.moves += 1;
    queue(target, () => work().finally(() => (target.moves -= 1)), fault);
  }

  function conclude(event: RunEvent): void {
    if (ENDS.has(event.type)) forget(event.run);
    tell(event);
  }

  function look(target: ContainerRun): void {
    target.deadline?.look();
    if (target.works > 0) return;
    const { run, directory, head, handle } = target;
    if (head.kind === 'found') {
      if (isMarkedFrozen(directory) || isAlive(handle)) return;
      return conclude({ type: 'RunDied', run, reason: CONTAINER_ENDED });
    }
    const word = readWatchdogReport(directory);
    const end = readEnd(target, word);
    if (end !== undefined) return conclude(end);
    if (!isAlive(handle)) return queue(target, () => endOrphan(target, containers), 'RunDied');
    if (!target.isThawing || !word.isRestored) return;
    target.isThawing = false;
    tell({ type: 'RunThawed', run });
  }

  function start(order: StartRequest): void {
    const { run, directory } = order;
    if (runs.has(run)) return tell({ type: 'RunFailed', run, reason: 'it runs already' });
    // The lease counts from here, whatever has to be found out first.
    const target = follow(run, directory, UNKNOWN);
    const deadline = followDeadline(createFileDeadlines(directory), clock, undefined, () => doubted(run));
    deadline.extend(order.guardMs);
    target.deadline = deadline;
    const work: Work = async () => {
      const prepared = await prepareCopy(order, deadline, checkpoint, containers);
      if ('reason' in prepared) return { type: 'RunFailed', run, reason: prepared.reason };
      target.head = prepared.head;
      target.handle = prepared.handle;
      return { type: 'RunPrepared', run, handle: target.handle };
    };
    queue(target, work, 'RunFailed');
  }

  function take(run: string, directory: string, process: ExternalProcess): void {
    const fail = (reason: string): void => tell({ type: 'RunFailed', run, reason });
    const head = describeExternal(process, containers);
    if (head === undefined) return fail(`there is no process ${process.pid} that started at ${process.start}`);
    const other = [...runs.values()].find((one) => one.head.id === head.id);
    if (other !== undefined) return fail(`its container is ${other.run} already`);
    try {
      // Recorded before anything else is asked of it, so that it is found again after a crash.
      writeRunRecord(directory, head);
    } catch (error) {
      return fail(describeUnprepared(error));
    }
    const target = follow(run, directory, head);
    queue(target, () => takeExternal(target, containers), 'RunFailed');
  }

  function adopt(run: string, directory: string): boolean {
    const head = readRunRecord(directory);
    if (head === undefined) return false;
    const target = follow(run, directory, head);
    if (head.kind === 'copy')
      target.deadline = isLegacyDeadline(directory)
        ? followLegacyDeadline(directory, clock)
        : followDeadline(createFileDeadlines(directory), clock, undefined, () => doubted(run));
    queue(target, () => (head.kind === 'found' ? adoptExternal : adoptCopy)(target, containers), 'RunDied');
    return true;
  }

  function stop(run: string, graceMs: number): void {
    const target = runs.get(run);
    if (target === undefined) return;
    const { directory, head } = target;
    target.isStopped = true;
    // A container about to be frozen or resumed must not be removed on its owner's behalf.
    const isFrozen = target.moves === 0 && isMarkedFrozen(directory) && checkpoint.read(directory) !== null;
    const end = (): Promise<RunEvent | undefined> => (isFrozen ? endFrozen(target, containers) : leaveFound(target));
    queue(target, () => (head.kind === 'copy' ? stopCopy(target, graceMs, containers) : end()), 'RunDied');
  }

  /** An external container that is not frozen keeps running and is only forgotten. */
  async function leaveFound(target: ContainerRun): Promise<undefined> {
    await thawContainer(target, parts);
    forget(target.run);
  }

  function freeze(run: string): void {
    const target = runs.get(run);
    if (target === undefined) return;
    const work: Work = async () => {
      const event = await freezeContainer(target, parts);
      // If it was stopped meanwhile, that operation reports the outcome.
      return target.isStopped && event.type === 'RunFrozen' ? undefined : event;
    };
    queueMove(target, work, 'FreezeFailed');
  }

  function thaw(run: string): void {
    const target = runs.get(run);
    if (target === undefined) return tell({ type: 'RunThawed', run });
    const work: Work = async () => {
      const isNew = target.head.kind === 'copy' && !readWatchdogReport(target.directory).isRestored;
      if (!isNew) return thawContainer(target, parts);
      target.isThawing = true;
      return letGo(target);
    };
    queueMove(target, work, 'RunDied');
  }

  /** Deferred until the current call has returned. */
  function doubted(run: string): void {
    queueMicrotask(() => (runs.has(run) ? tell({ type: 'RunDoubted', run }) : undefined));
  }

  function extend(run: string, guardMs: number): void {
    runs.get(run)?.deadline?.extend(guardMs);
  }

  return {
    has: (run) => runs.has(run),
    isCopy: ({ directory, restore }) => restore === true && checkpoint.read(directory)?.facts.container !== undefined,
    start,
    isMember: (pid) => containers.containerOf(pid) !== undefined,
    take,
    adopt,
    extend,
    stop,
    freeze,
    thaw,
    pids: () =>
      new Map([...runs.values()].map(({ run, head, handle }) => [run, [handle.pid, ...containers.members(head.id)]])),
    close: () => {
      looks?.unsubscribe();
      runs.clear();
    },
  };
}

function failWork(run: string, type: 'RunFailed' | 'RunDied' | 'FreezeFailed', error: unknown): RunEvent {
  return { type, run, reason: describeError(error) };
}
