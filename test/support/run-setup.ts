/**
 * The setup for tests of runners: a temporary directory, runners that record their events, and ways to wait for them.
 * `clear` kills what still runs, by pid, and returns what that was.
 */
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncScheduler, filter, firstValueFrom, map, ReplaySubject, skip } from 'rxjs';
import type { Checkpoint } from '../../src/checkpoint/checkpoint.js';
import type { Clock } from '../../src/clock/clock.js';
import type { Containers } from '../../src/container/containers.js';
import type { Command } from '../../src/protocol/item.js';
import { createProcessRunner, type ProcessRunnerOptions } from '../../src/run/process-runner.js';
import { readProcessTable } from '../../src/run/processes/process-table.js';
import type { SupervisorProgram } from '../../src/run/supervisor/program-path.js';
import type { RunEvent, RunHandle, Runner, StartRequest } from '../../src/run/runner.js';

/** The real clock, for tests of real processes. */
export const CLOCK: Clock = { now: () => performance.now(), wall: () => Date.now(), scheduler: asyncScheduler };

const LOOK_MS = 20;

/** A runner whose events can be waited for, past ones included. */
export interface RecordingRunner extends Runner {
  /** Waits for the next event of a type. */
  next<T extends RunEvent['type']>(run: string, type: T): Promise<Extract<RunEvent, { type: T }>>;
  /**
   * Waits for an event of a type, after skipping `after` of them. Throws if the run fails, dies or cannot be frozen.
   */
  answer<T extends RunEvent['type']>(run: string, type: T, after?: number): Promise<Extract<RunEvent, { type: T }>>;
  /** Waits until the runner has forgotten a run, for which there is no event. */
  awaitForgotten(run: string): Promise<void>;
  /** Waits for the end of a run, whatever it is. */
  end(run: string): Promise<RunEvent>;
  readonly seen: readonly RunEvent[];
}

/** The setup of one test. */
export interface RunSetup {
  readonly root: string;
  /** A runner; `place` names the directory of its supervisors, which only one runner at a time may use. */
  runner(checkpoint?: Checkpoint, containers?: Containers, place?: string): RecordingRunner;
  /** A runner whose supervisors are these programs. */
  runnerOf(programs: readonly SupervisorProgram[], checkpoint?: Checkpoint): RecordingRunner;
  /** Creates a start request with its own directory below {@link root}. */
  order(name: string, argv: readonly string[], more?: Partial<Command>, guardMs?: number): StartRequest;
  /** Registers a launcher that must be gone at the end of the test. */
  expectGone(handle: RunHandle): void;
  clear(): readonly number[];
}

/** Creates the setup of a test. */
export function createRunSetup(): RunSetup {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-run-')));
  const runners: Runner[] = [];
  const launchers = new Set<number>();
  return {
    root,
    runner: (checkpoint, containers, place = 'supervisors') => {
      const runner = createBenchRunner(launchers, { supervisors: join(root, place), checkpoint, containers });
      runners.push(runner);
      return runner;
    },
    runnerOf: (programs, checkpoint) => {
      const runner = createBenchRunner(launchers, { supervisors: join(root, 'supervisors'), programs, checkpoint });
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

/** The pids of processes in the session or group of some launchers. */
export function livingMembers(launchers: ReadonlySet<number>): readonly number[] {
  return readProcessTable()
    .filter((row) => !row.zombie && (launchers.has(row.session) || launchers.has(row.group)))
    .map((row) => row.pid);
}

/** Waits until a file exists and `isDone` accepts its text; resolves with the text. */
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

function createBenchRunner(launchers: Set<number>, options: Omit<ProcessRunnerOptions, 'clock'>): RecordingRunner {
  const runner = createProcessRunner({ clock: CLOCK, ...options });
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
