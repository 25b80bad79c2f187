/**
 * What the matrix goes by: the last sample and list of processes, whose run each process is, the machine's own load, and
 * the judgement of each process. It only keeps and judges; nothing is done from here.
 */
import type { Clock } from '../clock/clock.js';
import { findUntouchable } from '../core/never-list.js';
import type { ScumAction, ScumFormula } from '../core/scum.js';
import { judgeScum, type ScumPolicies, type Verdict } from '../core/scum-policy.js';
import type { ListedProcess, RunHere, ThrottleFacts } from '../core/throttle-choice.js';
import type { Throttled } from '../core/throttled.js';
import { stepTrit, type TritRules, type TritState } from '../core/trit.js';
import type { Trit } from '../protocol/messages.js';
import type { LoadSample } from '../sense/sense.js';

/** What it needs of the node. */
export interface ScumGroundParts {
  readonly self: string;
  /** This process. */
  readonly pid: number;
  readonly brokerPort: number;
  readonly clock: Clock;
  readonly policies: ScumPolicies;
  readonly formula: ScumFormula;
  readonly trit: TritRules;
  /** Why nothing can be throttled here at all. */
  readonly obstacle: string | undefined;
  runs(): readonly RunHere[];
  /** What stands in the way of moving a run; `undefined` when nothing does. */
  moveObstacle(run: RunHere): string | undefined;
}

/** What is known, and how it is judged. */
export interface ScumGround {
  readonly trit: Trit | undefined;
  readonly loadRatio: number;
  /** `undefined` before the first look. */
  readonly processes: readonly ListedProcess[] | undefined;
  readonly runs: readonly RunHere[];
  takeLoad(sample: LoadSample, trit: Trit): void;
  takeProcesses(processes: readonly ListedProcess[]): void;
  /** Looks anew which runs there are. */
  refreshRuns(): void;
  has(pid: number): boolean;
  runOf(pid: number): RunHere | undefined;
  judge(process: ListedProcess, action: ScumAction): Verdict;
  facts(held: ReadonlyMap<string, Throttled>): ThrottleFacts;
}

/** Makes it, with nothing known yet. */
export function createScumGround(parts: ScumGroundParts): ScumGround {
  const { self, clock, policies, formula } = parts;
  let trit: Trit | undefined;
  let sample: Pick<LoadSample, 'ratio' | 'cpus'> = { ratio: 0, cpus: 1 };
  let own: TritState | undefined;
  let processes: readonly ListedProcess[] | undefined;
  let byPid: ReadonlyMap<number, ListedProcess> = new Map();
  let runs: readonly RunHere[] = [];
  let runOfPid: ReadonlyMap<number, RunHere> = new Map();

  function refreshRuns(): void {
    runs = parts.runs();
    runOfPid = new Map(runs.flatMap((run) => run.pids.map((pid) => [pid, run] as const)));
  }

  /** The machine's own load: what its guests used at the last look is left out. */
  function ownRatio(): number {
    const guests = (processes ?? []).filter(({ pid }) => runOfPid.has(pid));
    const used = guests.reduce((sum, { cpuPercent }) => sum + cpuPercent, 0) / 100;
    return Math.max(0, sample.ratio - used / sample.cpus);
  }

  function judge(process: ListedProcess, action: ScumAction): Verdict {
    const run = runOfPid.get(process.pid);
    const untouchable = findUntouchable(process, {
      self: parts.pid,
      brokerPort: parts.brokerPort,
      processes: byPid,
      belongsToRun: (pid) => runOfPid.has(pid),
    });
    return judgeScum(process, action, policies, {
      untouchable,
      item: run?.item,
      throttleObstacle: parts.obstacle,
      moveObstacle: run === undefined || action !== 'migrate' ? undefined : parts.moveObstacle(run),
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
    takeLoad: (next, nextTrit) => {
      trit = nextTrit;
      sample = next;
      // Guests that were not looked at yet would count as the machine's own.
      if (processes !== undefined) own = stepTrit(own, ownRatio(), clock.now(), parts.trit);
    },
    takeProcesses: (listed) => {
      processes = listed;
      byPid = new Map(listed.map((process) => [process.pid, process]));
    },
    refreshRuns,
    has: (pid) => byPid.has(pid),
    runOf: (pid) => runOfPid.get(pid),
    judge,
    facts: (held) => ({
      self,
      trit,
      ownTrit: own?.trit,
      ownRatio: ownRatio(),
      formula,
      policies,
      processes,
      runs,
      held,
      judge: (process) => judge(process, 'throttle'),
    }),
  };
}
