/**
 * The Runner port on a simulated machine. Its own state ends with the node's boot: after a restart, everything it knows
 * about a run comes from the machine.
 */
import { Subject } from 'rxjs';
import type { RunEvent, RunHandle, Runner } from '../../run/runner.js';
import type { Random } from '../plan/random.js';
import type { SimMachine } from './sim-machine.js';
import type { SimProcess } from './sim-process.js';
import { createSimMoves } from './sim-moves.js';

/** How long a job takes, ms, by its arguments. */
export type TakesMs = (argv: readonly string[]) => number;

/** Share of runs whose start is reported late, ms at most, or only with their end if that comes first. */
const LATE_STARTS = 0.5;
const LATE_MS = 150;

/** A node notices within this time that a watchdog is in doubt, ms. */
const DOUBT_MS = 1000;

/** Creates the runner of one boot of a node. */
export function createSimRunner(machine: SimMachine, boot: number, random: Random, takesMs: TakesMs): Runner {
  const { host } = machine;
  const events$ = new Subject<RunEvent>();
  const clock = host.clock(boot);
  const emit = (event: RunEvent): void => {
    host.after(boot, 0.2 + random.next(), () => events$.next(event));
  };
  const report = (process: SimProcess): void => emit(describeEnd(process));
  // A stream of its own: what else happens in a seed does not depend on when starts are reported.
  const lateness = random.split('late starts');
  const reportStart = (process: SimProcess): void => {
    const started = { type: 'RunStarted', run: process.run, handle: handleOf(process) } as const;
    if (!lateness.chance(LATE_STARTS)) return emit(started);
    host.after(boot, lateness.next() * LATE_MS, () => {
      if (process.state === 'alive') events$.next(started);
    });
  };
  // A node that died in the middle of a step does nothing more.
  const isDead = (): boolean => host.boot !== boot;

  /**
   * Deadline of each run, as far as this boot knows. Watchdogs get the time left (see src/run/watchdog/deadline.ts).
   */
  const endsAt = new Map<string, number>();
  const doubts = new Map<string, number>();
  /** Whether a watchdog has a new doubt, which voids the deadline that it had. */
  const checkDoubt = (run: string): boolean => {
    const doubt = machine.processes.get(run)?.watchdog?.doubt ?? 0;
    if (doubt === (doubts.get(run) ?? 0)) return false;
    doubts.set(run, doubt);
    endsAt.delete(run);
    emit({ type: 'RunDoubted', run });
    return true;
  };
  const scheduleDoubtCheck = (run: string): void => {
    host.after(boot, random.next() * DOUBT_MS, () => checkDoubt(run));
  };
  machine.onDoubt(({ run }) => scheduleDoubtCheck(run));

  const moves = createSimMoves({ machine, random, isDead, emit });

  return {
    events$,
    start: ({ run, directory, command, guardMs, restore }) => {
      if (isDead()) return;
      if (restore === true) {
        endsAt.set(run, clock.now() + guardMs);
        return moves.restore(run, directory, takesMs(command.argv), guardMs, report);
      }
      if (machine.processes.get(run)?.state === 'alive')
        return emit({ type: 'RunFailed', run, reason: 'it runs already' });
      const process = machine.start(run, takesMs(command.argv), guardMs, report);
      endsAt.set(run, clock.now() + guardMs);
      machine.files.set(`${directory}/stdout`, process.execution);
      reportStart(process);
    },
    adopt: (run) => {
      if (isDead()) return;
      const process = machine.processes.get(run);
      if (process === undefined) return emit({ type: 'RunFailed', run, reason: 'its launcher never started it' });
      machine.follow(run, report);
      scheduleDoubtCheck(run);
      if (process.state !== 'alive') return report(process);
      // A copy that has never run is still prepared.
      const type = process.isCopy && !process.ran ? 'RunPrepared' : 'RunStarted';
      emit({ type, run, handle: handleOf(process) });
    },
    extend: (run, guardMs) => {
      if (isDead()) return;
      if (checkDoubt(run)) return;
      const until = clock.now() + guardMs;
      if (until <= (endsAt.get(run) ?? Number.NEGATIVE_INFINITY)) return;
      endsAt.set(run, until);
      machine.processes.get(run)?.watchdog?.extend(guardMs, doubts.get(run) ?? 0);
    },
    stop: (run, graceMs) => {
      // A stopped process reacts to no signal but SIGKILL.
      const wait = machine.processes.get(run)?.stopped === true ? 0 : random.next() * graceMs;
      host.after(boot, wait, () => machine.kill(run));
    },
    heed: () => undefined,
    freeze: moves.freeze,
    thaw: moves.thaw,
    take: (run) => emit({ type: 'RunFailed', run, reason: 'not simulated' }),
    pids: () =>
      new Map(
        [...machine.processes.values()].filter((one) => one.state === 'alive').map((one) => [one.run, [one.pid]]),
      ),
    close: () => undefined,
  };
}

function handleOf({ pid, execution }: SimProcess): RunHandle {
  return { pid, start: execution };
}

function describeEnd(process: SimProcess): RunEvent {
  const { run, startedAt, endedAt } = process;
  if (process.state === 'killed') return { type: 'RunDied', run, reason: 'it was killed' };
  return { type: 'RunExited', run, exitCode: 0, signal: null, cpuS: 0, runMs: endedAt - startedAt };
}
