/**
 * What the action matrix works with: the last sample and process list, which run each process belongs to, the machine's
 * own load, and the verdict on each process. It only keeps and judges; it never acts.
 */
import type { Clock } from '../../clock/clock.js';
import { ownRatio } from '../../core/node-state.js';
import { findProtected } from '../../core/processes/protected-processes.js';
import type { ScumAction, ScumFormula } from '../../core/processes/scum.js';
import { judgeScum, type ScumPolicies, type ScumVerdict } from '../../core/processes/scum-policy.js';
import type { ListedProcess, RunHere, ThrottleContext } from '../../core/processes/throttle-plan.js';
import type { ThrottleState } from '../../core/processes/throttle-state.js';
import { stepTrit, type TritRules, type TritState } from '../../core/mesh/trit.js';
import type { Trit } from '../../protocol/messages.js';
import type { LoadSample } from '../../sense/sense.js';

/** What the assessment needs. */
export interface ProcessAssessmentDeps {
  readonly self: string;
  /** Pid of the node. */
  readonly pid: number;
  readonly brokerPort: number;
  readonly clock: Clock;
  readonly policies: ScumPolicies;
  readonly formula: ScumFormula;
  readonly trit: TritRules;
  /** Why no process on this machine can be throttled; `undefined` when they can. */
  readonly obstacle: string | undefined;
  runs(): readonly RunHere[];
  /** Share of one core that all guests used in the last sample, 0..100 times the number of cores. */
  guestCpuPercent(): number;
  /** What prevents moving a run; `undefined` if nothing does. */
  moveObstacle(run: RunHere): string | undefined;
}

/** What is known of the processes, and the verdict on each. */
export interface ProcessAssessment {
  readonly trit: Trit | undefined;
  readonly loadRatio: number;
  /** `undefined` before the first list. */
  readonly processes: readonly ListedProcess[] | undefined;
  readonly runs: readonly RunHere[];
  handleLoad(sample: LoadSample, trit: Trit): void;
  handleProcesses(processes: readonly ListedProcess[]): void;
  /** Reads again which runs there are. */
  refreshRuns(): void;
  has(pid: number): boolean;
  runOf(pid: number): RunHere | undefined;
  judge(process: ListedProcess, action: ScumAction): ScumVerdict;
  context(held: ReadonlyMap<string, ThrottleState>): ThrottleContext;
}

/** Creates an assessment with nothing known yet. */
export function createProcessAssessment(deps: ProcessAssessmentDeps): ProcessAssessment {
  const { self, clock, policies, formula } = deps;
  let trit: Trit | undefined;
  let sample: Pick<LoadSample, 'ratio' | 'cpus'> = { ratio: 0, cpus: 1 };
  let own: TritState | undefined;
  let processes: readonly ListedProcess[] | undefined;
  let byPid: ReadonlyMap<number, ListedProcess> = new Map();
  let runs: readonly RunHere[] = [];
  let runOfPid: ReadonlyMap<number, RunHere> = new Map();

  function refreshRuns(): void {
    runs = deps.runs();
    runOfPid = new Map(runs.flatMap((run) => run.pids.map((pid) => [pid, run] as const)));
  }

  function currentOwnRatio(): number {
    return ownRatio({ loadRatio: sample.ratio, cpus: sample.cpus, guestCpuPercent: deps.guestCpuPercent() });
  }

  function judge(process: ListedProcess, action: ScumAction): ScumVerdict {
    const run = runOfPid.get(process.pid);
    const protection = findProtected(process, {
      self: deps.pid,
      brokerPort: deps.brokerPort,
      processes: byPid,
      belongsToRun: (pid) => runOfPid.has(pid),
    });
    return judgeScum(process, action, policies, {
      protection,
      item: run?.item,
      throttleObstacle: deps.obstacle,
      moveObstacle: run === undefined || action !== 'migrate' ? undefined : deps.moveObstacle(run),
    });
  }

  return {
    get trit() {
      return trit;
    },
    get loadRatio() {
      return sample.ratio;
    },
    get processes() {
      return processes;
    },
    get runs() {
      return runs;
    },
    handleLoad: (next, nextTrit) => {
      trit = nextTrit;
      sample = next;
      // Guests that have not been listed yet would count as the machine's own load.
      if (processes !== undefined) own = stepTrit(own, currentOwnRatio(), clock.now(), deps.trit);
    },
    handleProcesses: (listed) => {
      processes = listed;
      byPid = new Map(listed.map((process) => [process.pid, process]));
    },
    refreshRuns,
    has: (pid) => byPid.has(pid),
    runOf: (pid) => runOfPid.get(pid),
    judge,
    context: (held) => ({
      self,
      trit,
      ownTrit: own?.trit,
      ownRatio: currentOwnRatio(),
      formula,
      policies,
      processes,
      runs,
      held,
      judge: (process) => judge(process, 'throttle'),
    }),
  };
}
