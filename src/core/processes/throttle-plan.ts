/**
 * Plans which targets to throttle now, and why to lift each of the other throttles. The matrix throttles SCUM on an
 * ERGODIC node. While the machine's own load is PLUS, guests of other owners are throttled whatever they use, before
 * anything that belongs to this machine.
 */
import type { Trit } from '../../protocol/messages.js';
import type { ProcessFacts } from './process-facts.js';
import { scoreProcess, SCUM_THRESHOLD, type ScumFormula, type ScumProcess } from './scum.js';
import { isActive, type ScumPolicies, type ScumVerdict } from './scum-policy.js';
import { isHeldBack, type ThrottleState, type ThrottleWish } from './throttle-state.js';

/** A process with its usage and its facts. */
export interface ListedProcess extends ScumProcess, ProcessFacts {}

/** A guest on this machine; this node's own items are guests, too. */
export interface RunHere {
  /** `<owner>/<item>/<epoch>`. */
  readonly guest: string;
  readonly owner: string;
  readonly item: string;
  readonly name: string;
  /** It runs and is not being stopped. */
  readonly running: boolean;
  readonly pids: readonly number[];
}

/** What the plan depends on. */
export interface ThrottleContext {
  readonly self: string;
  /** `undefined` before the first sample. */
  readonly trit: Trit | undefined;
  /** The trit of the machine's own load: the total load without the guests. */
  readonly ownTrit: Trit | undefined;
  readonly ownRatio: number;
  readonly formula: ScumFormula;
  readonly policies: ScumPolicies;
  /** `undefined` before the first snapshot. */
  readonly processes: readonly ListedProcess[] | undefined;
  readonly runs: readonly RunHere[];
  readonly held: ReadonlyMap<string, ThrottleState>;
  judge(process: ListedProcess): ScumVerdict;
}

/** Which throttles are wanted, and why the others are to be lifted. */
export interface ThrottlePlan {
  readonly wishes: readonly ThrottleWish[];
  readonly endings: ReadonlyMap<string, string>;
  /** Targets whose score fell, and the reason to report. */
  readonly resting: ReadonlyMap<string, string>;
}

/** A throttle is lifted when the score that its target would have without it is below this. */
export const SCUM_LEAVE = 0.3;
/** A target that uses less than this part of its share is not limited by the throttle any more. */
const USED_MIN = 0.8;

/** The throttle target of a run. */
export function runTarget(guest: string): string {
  return `run/${guest}`;
}

/** Plans the throttles. Until the node knows its load and its processes, existing throttles stay. */
export function planThrottles(facts: ThrottleContext): ThrottlePlan {
  const none = new Map<string, string>();
  if (!isActive(facts.policies.throttle)) {
    return { wishes: [], endings: endAll(facts, 'the policy does not allow throttling'), resting: none };
  }
  if (facts.trit === undefined || facts.processes === undefined) return { wishes: [], endings: none, resting: none };
  const wishes = [...new Map([...wishScum(facts), ...wishGuests(facts)].map((wish) => [wish.target, wish])).values()];
  const wanted = new Set(wishes.map(({ target }) => target));
  const endings = new Map<string, string>();
  const resting = new Map<string, string>();
  for (const [target, held] of facts.held) {
    if (wanted.has(target)) continue;
    const end = explainEnd(held, facts);
    if (end !== undefined) endings.set(target, end);
    else resting.set(target, `its score stayed below ${SCUM_LEAVE}`);
  }
  return { wishes, endings, resting };
}

function endAll({ held }: ThrottleContext, reason: string): ReadonlyMap<string, string> {
  return new Map([...held.keys()].map((target) => [target, reason]));
}

/** Whether guests of other nodes must give way to the machine's own load. */
export function isCrowded({ ownTrit, processes }: Pick<ThrottleContext, 'ownTrit' | 'processes'>): boolean {
  return ownTrit === 1 && processes !== undefined;
}

function wishGuests(facts: ThrottleContext): readonly ThrottleWish[] {
  if (!isCrowded(facts)) return [];
  const reason = `the machine's own load is PLUS at ${facts.ownRatio.toFixed(2)}: guests give way first`;
  const why = { reason, cause: 'own-load' } as const;
  return facts.runs
    .filter((run) => run.owner !== facts.self && run.running)
    .flatMap((run) => {
      const processes = membersOf(run, facts);
      const [heaviest] = processes.toSorted((a, b) => b.cpuPercent - a.cpuPercent);
      return heaviest === undefined ? [] : [wishRun(run, heaviest, processes, why, facts)];
    });
}

/** Applies the matrix. As long as a guest of another node is about to be throttled, nothing of this machine is. */
function wishScum(facts: ThrottleContext): readonly ThrottleWish[] {
  if (facts.trit !== 0) return [];
  const wishes = new Map<string, ThrottleWish>();
  for (const process of facts.processes ?? []) {
    const run = facts.runs.find(({ pids }) => pids.includes(process.pid));
    const target = run === undefined ? `pid/${process.pid}` : runTarget(run.guest);
    if (wishes.has(target) || run?.running === false) continue;
    const held = facts.held.get(target);
    if (!isHeavy(process, held, run, facts)) continue;
    const verdict = facts.judge(process);
    if (!verdict.acts) continue;
    const reason = `score ${scoreProcess(process, facts.formula).toFixed(2)} on an ERGODIC node, ${verdict.why}`;
    const wish =
      run === undefined
        ? wishProcess(process, reason, facts)
        : wishRun(run, process, membersOf(run, facts), { reason, cause: 'matrix' }, facts);
    wishes.set(target, wish);
  }
  return preferGuests([...wishes.values()], facts);
}

function preferGuests(wishes: readonly ThrottleWish[], { held, self }: ThrottleContext): readonly ThrottleWish[] {
  const isGuestOfOther = ({ target }: ThrottleWish): boolean =>
    target.startsWith('run/') && !target.startsWith(runTarget(`${self}/`));
  const isPending = ({ target }: ThrottleWish): boolean => {
    const phase = held.get(target)?.phase;
    return phase !== 'set' && phase !== 'failed';
  };
  const hasGuestToThrottle = wishes.some((wish) => isGuestOfOther(wish) && isPending(wish));
  return hasGuestToThrottle ? wishes.filter((wish) => isGuestOfOther(wish) || held.has(wish.target)) : wishes;
}

/**
 * Whether a process needs a throttle, or still needs the one it has. A throttled process uses little because of the
 * throttle, so it is judged by what it used before, unless it leaves much of its share unused.
 */
function isHeavy(
  process: ListedProcess,
  held: ThrottleState | undefined,
  run: RunHere | undefined,
  facts: ThrottleContext,
): boolean {
  if (held === undefined || !isHeldBack(held)) return scoreProcess(process, facts.formula) > SCUM_THRESHOLD;
  if (run === undefined && !isSameProcess(process, held)) return false;
  return scoreHeld(process, held, run, facts) >= SCUM_LEAVE;
}

function scoreHeld(
  process: ListedProcess,
  held: ThrottleState,
  run: RunHere | undefined,
  facts: ThrottleContext,
): number {
  const members = run === undefined ? [process] : membersOf(run, facts);
  const used = members.reduce((sum, one) => sum + one.cpuPercent, 0);
  const isLimited = used >= USED_MIN * held.wish.sharePercent;
  const cpuPercent = isLimited ? Math.max(process.cpuPercent, held.wish.cpuPercent) : process.cpuPercent;
  return scoreProcess({ ...process, cpuPercent }, facts.formula);
}

function isSameProcess(process: ListedProcess, held: ThrottleState): boolean {
  const start = held.record?.processes.find(({ pid }) => pid === process.pid)?.start;
  return start === undefined || process.start === undefined || start === process.start;
}

function membersOf(run: RunHere, facts: ThrottleContext): readonly ListedProcess[] {
  return (facts.processes ?? []).filter(({ pid }) => run.pids.includes(pid));
}

function wishProcess(process: ListedProcess, reason: string, { policies, held }: ThrottleContext): ThrottleWish {
  const { pid, name, start } = process;
  const target = `pid/${pid}`;
  const cpuPercent = held.get(target)?.wish.cpuPercent ?? process.cpuPercent;
  return {
    target,
    processes: [{ pid, start }],
    sharePercent: policies.sharePercent,
    pid,
    name,
    cpuPercent,
    reason,
    cause: 'matrix',
  };
}

function wishRun(
  run: RunHere,
  process: ListedProcess,
  members: readonly ListedProcess[],
  { reason, cause }: Pick<ThrottleWish, 'reason' | 'cause'>,
  { policies, held }: ThrottleContext,
): ThrottleWish {
  const target = runTarget(run.guest);
  const { pid, name } = process;
  return {
    target,
    // All processes of the run, including those that use nothing now and are not listed.
    processes: run.pids.map((one) => ({ pid: one, start: members.find((member) => member.pid === one)?.start })),
    sharePercent: policies.sharePercent,
    pid,
    name,
    item: run.item,
    cpuPercent: held.get(target)?.wish.cpuPercent ?? process.cpuPercent,
    reason,
    cause,
  };
}

/** Why a throttle is no longer wanted; `undefined` if only the score of its target fell. */
function explainEnd(held: ThrottleState, facts: ThrottleContext): string | undefined {
  const { target, pid } = held.wish;
  const run = facts.runs.find(({ guest }) => runTarget(guest) === target);
  if (target.startsWith('run/') && run?.running !== true)
    return run === undefined ? 'it has ended' : 'it is being stopped';
  const process = facts.processes?.find((one) => (run === undefined ? one.pid === pid : run.pids.includes(one.pid)));
  if (process === undefined || (run === undefined && !isSameProcess(process, held))) return 'it has ended';
  if (held.wish.cause === 'own-load') return "the machine's own load is no longer PLUS";
  if (facts.trit === 1) return 'the node is PLUS now: it moves work instead';
  if (facts.trit === -1) return 'the node is MINUS now: it has capacity to spare';
  const verdict = facts.judge(process);
  return verdict.acts ? undefined : verdict.why;
}
