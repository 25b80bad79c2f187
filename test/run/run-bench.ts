/**
 * A bench to test runners on: a temporary directory, runners whose events are kept, and ways to wait for them. `clear`
 * ends what still lives, by pid, and says if anything did.
 */
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncScheduler, filter, firstValueFrom, map, ReplaySubject, skip } from 'rxjs';
import type { Checkpoint } from '../../src/checkpoint/checkpoint.js';
import type { Clock } from '../../src/clock/clock.js';
import type { Containers } from '../../src/container/containers.js';
import type { Command } from '../../src/protocol/item.js';
import { createProcessRunner } from '../../src/run/process-runner.js';
import { readProcessTable } from '../../src/run/process-table.js';
import type { RunEvent, RunHandle, Runner, RunOrder } from '../../src/run/runner.js';

/** The clock that tests of real processes run on. */
export const CLOCK: Clock = { now: () => performance.now(), wall: () => Date.now(), scheduler: asyncScheduler };

const LOOK_MS = 20;

/** A runner whose events can be waited for, also those that came already. */
export interface BenchRunner extends Runner {
  /** Waits for the next event of a type. */
  next<T extends RunEvent['type']>(run: string, type: T): Promise<Extract<RunEvent, { type: T }>>;
  /** Waits for the first event of a type, or the one after so many; throws when the run fails, dies or cannot be frozen instead. */
  answer<T extends RunEvent['type']>(run: string, type: T, after?: number): Promise<Extract<RunEvent, { type: T }>>;
  /** Waits until the runner has forgotten a run, which no event tells. */
  awaitForgotten(run: string): Promise<void>;
  /** Waits for the end, whatever it is. */
  end(run: string): Promise<RunEvent>;
  readonly seen: readonly RunEvent[];
}

/** The bench of one test. */
export interface RunBench {
  readonly root: string;
  runner(checkpoint?: Checkpoint, containers?: Containers): BenchRunner;
  /** An order with its own directory below {@link root}. */
  order(name: string, argv: readonly string[], more?: Partial<Command>, guardMs?: number): RunOrder;
  /** Remembers a launcher that must be gone at the end of the test. */
  expectGone(handle: RunHandle): void;
  clear(): readonly number[];
}

/** Creates a bench. */
export function createRunBench(): RunBench {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-run-')));
  const runners: Runner[] = [];
  const launchers = new Set<number>();
  return {
    root,
    runner: (checkpoint, containers) => {
      const runner = createBenchRunner(launchers, checkpoint, containers);
      runners.push(runner);
      return runner;
    },
    order: (name, argv, more = {}, guardMs = 60_000) => ({
      run: name,
      directory: join(root, name),
      command: { argv, env: {}, outputs: [], migrate: 'never', ...more },
      environment: {},
      guardMs,
    }),
    expectGone: ({ pid }) => launchers.add(pid),
    clear: () => {
      for (const runner of runners) runner.close();
      const left = livingMembers(launchers);
      for (const pid of left) process.kill(pid, 'SIGKILL');
      rmSync(root, { recursive: true, force: true });
      return left;
    },
  };
}

/** Pids that live in the session or group of some launchers. */
export function livingMembers(launchers: ReadonlySet<number>): readonly number[] {
  return readProcessTable()
    .filter((row) => !row.zombie && (launchers.has(row.session) || launchers.has(row.group)))
    .map((row) => row.pid);
}

/** Waits until a file is there and `isDone` says that its text is whole; gives the text. */
export function waitForText(file: string, isDone: (text: string) => boolean = (text) => text !== ''): Promise<string> {
  const read = (): string | undefined => {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    return text !== undefined && isDone(text) ? text : undefined;
  };
  return new Promise((resolve) => {
    const look = (): void => {
      const text = read();
      if (text === undefined) return;
      watcher.close();
      resolve(text);
    };
    const watcher = watch(join(file, '..'), look);
    look();
  });
}

/** Waits until a process is gone (or a zombie). */
export async function waitForEnd(pid: number): Promise<void> {
  while (readProcessTable().some((row) => row.pid === pid && !row.zombie)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function createBenchRunner(
  launchers: Set<number>,
  checkpoint: Checkpoint | undefined,
  containers: Containers | undefined,
): BenchRunner {
  const runner = createProcessRunner({ clock: CLOCK, checkpoint, containers });
  const events$ = new ReplaySubject<RunEvent>();
  const seen: RunEvent[] = [];
  runner.events$.subscribe((event) => {
    if (event.type === 'RunStarted' || event.type === 'RunPrepared') launchers.add(event.handle.pid);
    seen.push(event);
    events$.next(event);
  });
  return {
    ...runner,
    seen,
    next: (run, type) =>
      firstValueFrom(
        events$.pipe(
          filter(
            (event): event is Extract<RunEvent, { type: typeof type }> => event.run === run && event.type === type,
          ),
        ),
      ),
    answer: (run, type, after = 0) =>
      firstValueFrom(
        events$.pipe(
          filter((event) => event.run === run && (event.type === type || isRefusal(event))),
          map((event) => {
            if (isAnswer(event, type)) return event;
            throw new Error(`${type} expected, but: ${JSON.stringify(event)}`);
          }),
          skip(after),
        ),
      ),
    awaitForgotten: async (run) => {
      while (runner.pids().has(run)) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    },
    end: (run) => firstValueFrom(events$.pipe(filter((event) => event.run === run && isEnd(event)))),
  };
}

function isAnswer<T extends RunEvent['type']>(event: RunEvent, type: T): event is Extract<RunEvent, { type: T }> {
  return event.type === type;
}

function isRefusal(event: RunEvent): boolean {
  return isEnd(event) || event.type === 'FreezeFailed';
}

function isEnd(event: RunEvent): boolean {
  return ['RunExited', 'RunDied', 'RunFailed', 'ThawFailed'].includes(event.type);
}
