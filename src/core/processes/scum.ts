/**
 * SCUM, the heavy processes: scores each one and applies the decision matrix. It only decides and never touches a
 * process.
 */
import { CPUS_MAX, SCUM_ITEMS_MAX } from '../../protocol/limits.js';
import type { Scum, ScumItem, Trit } from '../../protocol/messages.js';

/** A process is SCUM when its score is above this; the seed's number. */
export const SCUM_THRESHOLD = 0.35;

const CPU_WEIGHT = 0.6;
const MEMORY_WEIGHT = 0.3;
const AGE_WEIGHT = 0.1;
const SECONDS_PER_DAY = 86_400;
const NAME_CHARS_MAX = 64;
/** Ten of these sentences must easily fit into one message. */
const WHY_CHARS_MAX = 300;

/** What a score is computed from. */
export interface ScumReading {
  /** Share of one core, 0..100 times the cores. */
  readonly cpuPercent: number;
  /** Share of the machine's memory, 0..100. */
  readonly memoryPercent: number;
  /** Seconds since the process started. */
  readonly ageS: number;
}

/** A process that can be listed. */
export interface ScumProcess extends ScumReading {
  readonly pid: number;
  readonly name: string;
}

/**
 * `clamped` limits each term to 0..1, so a process below 5 % cpu and 5 % memory scores at most 0.145 and is never SCUM,
 * whatever its age. `seed` is the raw formula, where age alone makes every daemon SCUM after 84 hours.
 */
export type ScumFormula = 'clamped' | 'seed';

/** What the decision matrix says about one process. */
export type ScumAction = ScumItem['action'];

/** What the node does about one process, and why. */
export interface ScumExplanation {
  readonly action: ScumAction;
  /** Whether the node does it. */
  readonly acts: boolean;
  /** Why it does or does not. */
  readonly why: string;
  /** Its throttle, if any: share of one core, and the method. */
  readonly throttle: { readonly sharePercent: number; readonly method: string } | undefined;
}

/** Explains what the node does about processes. */
export interface ScumReasons<P> {
  explain(process: P): ScumExplanation;
  isThrottled(pid: number): boolean;
}

/** The item that a process belongs to. */
export interface ScumOwner {
  readonly item: string;
  readonly movable: boolean;
}

/**
 * The score 0.6 cpu + 0.3 memory + 0.1 age: 0..1 if clamped, 0..n with the seed's formula. A reading that is negative
 * or not finite counts as 0.
 */
export function scoreProcess(process: ScumReading, formula: ScumFormula = 'clamped'): number {
  const term = formula === 'clamped' ? clampUnit : clampPositive;
  return (
    CPU_WEIGHT * term(process.cpuPercent / 100) +
    MEMORY_WEIGHT * term(process.memoryPercent / 100) +
    AGE_WEIGHT * term(process.ageS / SECONDS_PER_DAY)
  );
}

/** The decision matrix: SCUM is moved from a PLUS node, throttled on an ERGODIC one, allowed on a MINUS one. */
export function decideAction(score: number, trit: Trit): ScumAction {
  if (!(score > SCUM_THRESHOLD)) return 'none';
  if (trit === 1) return 'migrate';
  return trit === 0 ? 'throttle' : 'allow';
}

/**
 * The body of `scum`: how many processes are SCUM, and the ten heaviest, highest score first, ties by pid. A throttled
 * process is always listed as SCUM, however little it uses because of the throttle. Numbers are rounded for readers:
 * scores to 3 places, percents to 1, ages to seconds.
 */
export function listScum<P extends ScumProcess>(
  processes: readonly P[],
  trit: Trit,
  formula: ScumFormula,
  ownerOf: (pid: number) => ScumOwner | undefined,
  reasons?: ScumReasons<P>,
): Scum {
  const heavy = processes
    .map((process) => ({ process, score: scoreProcess(process, formula) }))
    .filter(({ process, score }) => score > SCUM_THRESHOLD || reasons?.isThrottled(process.pid) === true)
    .toSorted((a, b) => b.score - a.score || a.process.pid - b.process.pid);
  const items = heavy.slice(0, SCUM_ITEMS_MAX).map(({ process, score }) => {
    const plain = { action: decideAction(score, trit) };
    return describeScum(process, score, reasons?.explain(process) ?? plain, ownerOf(process.pid));
  });
  return { count: heavy.length, items, ...(reasons === undefined ? {} : { formula }) };
}

/** The three weighted terms of a score; they add up to it. */
export function splitScore(
  process: ScumReading,
  formula: ScumFormula,
): { readonly cpu: number; readonly memory: number; readonly age: number } {
  const nothing = { cpuPercent: 0, memoryPercent: 0, ageS: 0 };
  return {
    cpu: scoreProcess({ ...nothing, cpuPercent: process.cpuPercent }, formula),
    memory: scoreProcess({ ...nothing, memoryPercent: process.memoryPercent }, formula),
    age: scoreProcess({ ...nothing, ageS: process.ageS }, formula),
  };
}

function describeScum(
  process: ScumProcess,
  score: number,
  explained: ScumExplanation | { readonly action: ScumAction },
  owner: ScumOwner | undefined,
): ScumItem {
  return {
    pid: process.pid,
    name: process.name.slice(0, NAME_CHARS_MAX),
    score: round(score, 3),
    cpu_percent: round(Math.min(clampPositive(process.cpuPercent), 100 * CPUS_MAX), 1),
    memory_percent: round(Math.min(clampPositive(process.memoryPercent), 100), 1),
    age_s: round(clampPositive(process.ageS), 0),
    action: explained.action,
    movable: owner?.movable ?? false,
    ...(owner === undefined ? {} : { item: owner.item }),
    ...('acts' in explained ? describeAct(explained) : {}),
  };
}

function describeAct({ acts, why, throttle }: ScumExplanation): Partial<ScumItem> {
  const held =
    throttle === undefined ? {} : { throttled_percent: throttle.sharePercent, throttled_by: throttle.method };
  return { acts, why: why.slice(0, WHY_CHARS_MAX), ...held };
}

function clampUnit(share: number): number {
  return Math.min(1, clampPositive(share));
}

function clampPositive(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}

function round(value: number, places: number): number {
  const scale = 10 ** places;
  return Math.round(value * scale) / scale;
}
