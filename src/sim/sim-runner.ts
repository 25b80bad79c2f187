/**
 * The Runner port on a simulated machine. It keeps nothing that a node's death would not take: what it knows of a run after
 * that, it finds on the machine.
 */
import { Subject } from 'rxjs';
import type { RunEvent, Runner } from '../run/runner.js';
import type { Random } from './random.js';
import type { SimMachine } from './sim-machine.js';
import type { SimProcess } from './sim-process.js';
import { createSimMoves } from './sim-moves.js';

/** How long a job takes, by its arguments. */
export type TakesMs = (argv: readonly string[]) => number;

/** A node looks this often whether a guardian is in doubt, ms. */
const DOUBT_MS = 1000;

/** Makes the runner of one life of a node. */
export function createSimRunner(machine: SimMachine, life: number, random: Random, takesMs: TakesMs): Runner {
  const { host } = machine;
  const events$ = new Subject<RunEvent>();
  const clock = host.clock(life);
  const tell = (event: RunEvent): void => {
    host.after(life, 0.2 + random.next(), () => events$.next(event));
  };
  const report = (process: SimProcess): void => tell(describeEnd(process));
  // A node that died in the midst of a step does nothing more of it.
  const isDead = (): boolean => host.life !== life;

  /** Until when each run may go on, as far as this life knows; what is left is what guardians are told (see src/run/deadline.ts). */
  const endsAt = new Map<string, number>();
  const doubts = new Map<string, number>();
  /** Whether a guardian has a new doubt: what it was given until then counts no more. */
  const hearDoubt = (run: string): boolean => {
    const doubt = machine.processes.get(run)?.guardian?.doubt ?? 0;
    if (doubt === (doubts.get(run) ?? 0)) return false;
    doubts.set(run, doubt);
    endsAt.delete(run);
    tell({ type: 'RunDoubted', run });
    return true;
  };
  const lookForDoubt = (run: string): void => {
    host.after(life, random.next() * DOUBT_MS, () => hearDoubt(run));
  };
  machine.onDoubt(({ run }) => lookForDoubt(run));

  const moves = createSimMoves({ machine, random, isDead, tell });

  return {
    events$,
    start: ({ run, directory, command, guardMs, restore }) => {
      if (isDead()) return;
      if (restore === true) {
        endsAt.set(run, clock.now() + guardMs);
        return moves.restore(run, directory, takesMs(command.argv), guardMs, report);
      }
      if (machine.processes.get(run)?.state === 'lives')
        return tell({ type: 'RunFailed', run, reason: 'it runs already' });
      const process = machine.start(run, takesMs(command.argv), guardMs, report);
      endsAt.set(run, clock.now() + guardMs);
      machine.files.set(`${directory}/stdout`, process.execution);
      tell({ type: 'RunStarted', run, handle: { pid: process.pid, start: process.execution } });
    },
    adopt: (run) => {
      if (isDead()) return;
      const process = machine.processes.get(run);
      if (process === undefined) return tell({ type: 'RunFailed', run, reason: 'its launcher never started it' });
      machine.follow(run, report);
      lookForDoubt(run);
      if (process.state !== 'lives') return report(process);
      // A copy that was never let run is found as it was left.
      const type = process.isCopy && !process.ran ? 'RunPrepared' : 'RunStarted';
      tell({ type, run, handle: { pid: process.pid, start: process.execution } });
    },
    extend: (run, guardMs) => {
      if (isDead()) return;
      if (hearDoubt(run)) return;
      const until = clock.now() + guardMs;
      if (until <= (endsAt.get(run) ?? Number.NEGATIVE_INFINITY)) return;
      endsAt.set(run, until);
      machine.processes.get(run)?.guardian?.give(guardMs, doubts.get(run) ?? 0);
    },
    stop: (run, graceMs) => {
      // What is stopped hears no signal but the last one.
      const wait = machine.processes.get(run)?.stopped === true ? 0 : random.next() * graceMs;
      host.after(life, wait, () => machine.kill(run));
    },
    heed: () => undefined,
    freeze: moves.freeze,
    thaw: moves.thaw,
    take: (run) => tell({ type: 'RunFailed', run, reason: 'not simulated' }),
    pids: () =>
      new Map(
        [...machine.processes.values()].filter((one) => one.state === 'lives').map((one) => [one.run, [one.pid]]),
      ),
    close: () => undefined,
  };
}

function describeEnd(process: SimProcess): RunEvent {
  const { run, startedAt, endedAt } = process;
  if (process.state === 'killed') return { type: 'RunDied', run, reason: 'it was killed' };
  return { type: 'RunExited', run, exitCode: 0, signal: null, cpuS: 0, runMs: endedAt - startedAt };
}
