/**
 * Which targets are to be throttled now, and why each of the others no more. The matrix throttles SCUM on an ERGODIC node;
 * while the machine's own load is PLUS, guests of other owners are held back whatever they use, before anything of the
 * machine's owner. Pure.
 */
import type { Trit } from '../protocol/messages.js';
import type { ProcessFacts } from './process-facts.js';
import { scoreProcess, SCUM_THRESHOLD, type ScumFormula, type ScumProcess } from './scum.js';
import { isActive, type ScumPolicies, type Verdict } from './scum-policy.js';
import { isHeldBack, type Throttled, type ThrottleWish } from './throttled.js';

/** A process with all that is known of it. */
export interface ListedProcess extends ScumProcess, ProcessFacts {}

/** A guest of this machine, this node's own items too. */
export interface RunHere {
  /** `<owner>/<item>/<epoch>`. */
  readonly guest: string;
  readonly owner: string;
  readonly item: string;
  readonly name: string;
  /** It runs, and nobody is stopping it. */
  readonly running: boolean;
  readonly pids: readonly number[];
}

/** What the choice goes by. */
export interface ThrottleFacts {
  readonly self: string;
  /** `undefined` before the first sample. */
  readonly trit: Trit | undefined;
  /** The trit of the machine's own load: the total less the guests. */
  readonly ownTrit: Trit | undefined;
  readonly ownRatio: number;
  readonly formula: ScumFormula;
  readonly policies: ScumPolicies;
  /** `undefined` before the first look. */
  readonly processes: readonly ListedProcess[] | undefined;
  readonly runs: readonly RunHere[];
  readonly held: ReadonlyMap<string, Throttled>;
  judge(process: ListedProcess): Verdict;
}

/** What is wanted, and why what is held beside it is to be lifted. */
export interface ThrottleChoice {
  readonly wishes: readonly ThrottleWish[];
  readonly endings: ReadonlyMap<string, string>;
  /** Targets whose score fell, and what it is. */
  readonly resting: ReadonlyMap<string, string>;
}

/** A throttled target is let go when its score, had it what it had before, is below this. */
export const SCUM_LEAVE = 0.3;
/** A target that leaves so much of its share unused is not held back by it any more. */
const USED_MIN = 0.8;

/** Target of a run, and of a process that tritmesh did not start. */
export function runTarget(guest: string): string {
  return `run/${guest}`;
}

/** Chooses. Before the node knows its load and its processes, what is held stays held. */
export function chooseThrottles(facts: ThrottleFacts): ThrottleChoice {
  const none = new Map<string, string>();
  if (!isActive(facts.policies.throttle)) {
    return { wishes: [], endings: endAll(facts, 'the policy lets nothing be throttled'), resting: none };
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

function endAll({ held }: ThrottleFacts, reason: string): ReadonlyMap<string, string> {
  return new Map([...held.keys()].map((target) => [target, reason]));
}

/** Whether guests of others give way to the machine's own load. */
export function isCrowded({ ownTrit, processes }: Pick<ThrottleFacts, 'ownTrit' | 'processes'>): boolean {
  return ownTrit === 1 && processes !== undefined;
}

function wishGuests(facts: ThrottleFacts): readonly ThrottleWish[] {
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

/** The matrix. Guests of others come first: nothing of the owner's is throttled in the look that finds one to throttle. */
function wishScum(facts: ThrottleFacts): readonly ThrottleWish[] {
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
  return putGuestsFirst([...wishes.values()], facts);
}

function putGuestsFirst(wishes: readonly ThrottleWish[], { held, self }: ThrottleFacts): readonly ThrottleWish[] {
  const isForeignGuest = ({ target }: ThrottleWish): boolean =>
    target.startsWith('run/') && !target.startsWith(runTarget(`${self}/`));
  const isPending = ({ target }: ThrottleWish): boolean => {
    const phase = held.get(target)?.phase;
    return phase !== 'set' && phase !== 'failed';
  };
  const hasGuestToThrottle = wishes.some((wish) => isForeignGuest(wish) && isPending(wish));
  return hasGuestToThrottle ? wishes.filter((wish) => isForeignGuest(wish) || held.has(wish.target)) : wishes;
}

/**
 * Whether a process asks for a throttle, or still for the one it has: held back, it uses little because of that, and is
 * judged by what it used before, unless it leaves much of its share unused.
 */
function isHeavy(
  process: ListedProcess,
  held: Throttled | undefined,
  run: RunHere | undefined,
  facts: ThrottleFacts,
): boolean {
  if (held === undefined || !isHeldBack(held)) return scoreProcess(process, facts.formula) > SCUM_THRESHOLD;
  if (run === undefined && !isMeant(process, held)) return false;
  return scoreHeld(process, held, run, facts) >= SCUM_LEAVE;
}

function scoreHeld(process: ListedProcess, held: Throttled, run: RunHere | undefined, facts: ThrottleFacts): number {
  const members = run === undefined ? [process] : membersOf(run, facts);
  const used = members.reduce((sum, one) => sum + one.cpuPercent, 0);
  const isHeldDown = used >= USED_MIN * held.wish.sharePercent;
  const cpuPercent = isHeldDown ? Math.max(process.cpuPercent, held.wish.cpuPercent) : process.cpuPercent;
  return scoreProcess({ ...process, cpuPercent }, facts.formula);
}

function isMeant(process: ListedProcess, held: Throttled): boolean {
  const start = held.record?.processes.find(({ pid }) => pid === process.pid)?.start;
  return start === undefined || process.start === undefined || start === process.start;
}

function membersOf(run: RunHere, facts: ThrottleFacts): readonly ListedProcess[] {
  return (facts.processes ?? []).filter(({ pid }) => run.pids.includes(pid));
}

function wishProcess(process: ListedProcess, reason: string, { policies, held }: ThrottleFacts): ThrottleWish {
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
  { policies, held }: ThrottleFacts,
): ThrottleWish {
  const target = runTarget(run.guest);
  const { pid, name } = process;
  return {
    target,
    // All of them, also those that use nothing now and are not listed.
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

/** Why a held target is wanted no more; `undefined` when it is that its score fell. */
function explainEnd(held: Throttled, facts: ThrottleFacts): string | undefined {
  const { target, pid } = held.wish;
  const run = facts.runs.find(({ guest }) => runTarget(guest) === target);
  if (target.startsWith('run/') && run?.running !== true)
    return run === undefined ? 'it has ended' : 'it is being stopped';
  const process = facts.processes?.find((one) => (run === undefined ? one.pid === pid : run.pids.includes(one.pid)));
  if (process === undefined || (run === undefined && !isMeant(process, held))) return 'it has ended';
  if (held.wish.cause === 'own-load') return "the machine's own load is PLUS no more";
  if (facts.trit === 1) return 'the node is PLUS now: it moves work instead';
  if (facts.trit === -1) return 'the node is MINUS now: there is room for it';
  const verdict = facts.judge(process);
  return verdict.acts ? undefined : verdict.why;
}
