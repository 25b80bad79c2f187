/**
 * A runner in a separate process, possibly on another host. Its methods are called by name, its events can be waited
 * for, and it can be killed at any time, as a node may be.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { filter, firstValueFrom, map, ReplaySubject } from 'rxjs';
import type { RunEvent, Runner } from '../../src/run/runner.js';
import { bundledFixture } from './bundle-fixtures.js';

const PROGRAM = bundledFixture('runner-host');

type Method = 'start' | 'adopt' | 'extend' | 'stop' | 'freeze' | 'thaw' | 'take';
type Event<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** A runner in another process. */
export interface RunnerHost {
  readonly pid: number;
  ask<M extends Method>(method: M, ...args: Parameters<Runner[M]>): void;
  /** The next event of a type that was not returned yet. Throws if the run failed, died, or could not be frozen. */
  answer<T extends RunEvent['type']>(run: string, type: T): Promise<Event<T>>;
  /** The end of a run, whatever it is. */
  end(run: string): Promise<RunEvent>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

const ENDS: ReadonlySet<string> = new Set(['RunExited', 'RunDied', 'RunFailed', 'ThawFailed']);

/** Starts a host with its supervisors in `place`; `within` is put in front of its command, `variables` are added to its environment. */
export async function startRunnerHost(
  place: string,
  within: readonly string[] = [],
  variables: Readonly<Record<string, string>> = {},
): Promise<RunnerHost> {
  const [program, ...args] = [...within, process.execPath, PROGRAM, place];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...variables } });
  const events$ = readEvents(child);
  let given = 0;
  const next = (fits: (event: RunEvent) => boolean): Promise<RunEvent> =>
    firstValueFrom(
      events$.pipe(
        filter(({ index, event }) => index >= given && fits(event)),
        map(({ index, event }) => {
          given = index + 1;
          return event;
        }),
      ),
    );
  await next(({ run }) => run === '');
  // A program that enters a pid namespace forks, and the parent waits outside.
  const pid = within.length === 0 ? (child.pid ?? 0) : findChild(child.pid ?? 0);
  return {
    pid,
    ask: (method, ...rest) => child.stdin.write(`${JSON.stringify([method, ...rest])}\n`),
    answer: async (run, type) => {
      const event = await next(
        (one) => one.run === run && (one.type === type || ENDS.has(one.type) || one.type === 'FreezeFailed'),
      );
      if (!isOfType(event, type)) throw new Error(`${type} expected, but: ${JSON.stringify(event)}`);
      return event;
    },
    end: (run) => next((one) => one.run === run && ENDS.has(one.type)),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      process.kill(pid, 'SIGKILL');
      await gone;
    },
  };
}

function findChild(pid: number): number {
  return Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1'), 10);
}

function isOfType<T extends RunEvent['type']>(event: RunEvent, type: T): event is Event<T> {
  return event.type === type;
}

/** All events, numbered, past ones included. */
function readEvents(
  child: ChildProcessByStdio<Writable, Readable, null>,
): ReplaySubject<{ readonly index: number; readonly event: RunEvent }> {
  const events$ = new ReplaySubject<{ readonly index: number; readonly event: RunEvent }>();
  let index = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    events$.next({ index, event: JSON.parse(line) as RunEvent });
    index += 1;
  });
  return events$;
}
