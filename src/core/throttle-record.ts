/**
 * What is kept of a throttle, and what is done and learnt about one. The record stands in the journal BEFORE a process is
 * touched, so that the next life of the node can undo what this one did, whatever became of it.
 */

/** How processes are held back, best first. */
export type ThrottleMethod = 'cgroup-v2' | 'cgroup-v1' | 'autogroup' | 'duty-cycle';

/** All of them, in the order in which they are tried. */
export const THROTTLE_METHODS: readonly ThrottleMethod[] = ['cgroup-v2', 'cgroup-v1', 'autogroup', 'duty-cycle'];

/** A process to be throttled. */
export interface ThrottleProcess {
  readonly pid: number;
  /** Its start as the system counts it, where known: a process that took its pid since is left alone. */
  readonly start?: string | undefined;
}

/** Processes that are throttled together: `run/<owner>/<item>/<epoch>` or `pid/<pid>`. */
export interface ThrottleTarget {
  readonly target: string;
  readonly processes: readonly ThrottleProcess[];
}

/** A throttled process. */
export interface ThrottledProcess {
  readonly pid: number;
  readonly start: string;
  /** What was there before: the directory of its cgroup, the nice value of its autogroup. */
  readonly before: string;
}

/** All that is needed to set a throttle again and to undo it. JSON. */
export interface ThrottleRecord {
  readonly target: string;
  readonly method: ThrottleMethod;
  /** Share of one core that all its processes get together, 0..100 times the cores. */
  readonly sharePercent: number;
  /** Where it is set: a directory, an autogroup; empty where it has no place. */
  readonly place: string;
  /** Limit of a place that was there before; empty where the place is made for the throttle. */
  readonly limit: string;
  readonly processes: readonly ThrottledProcess[];
}

/** What is to be done about a throttle. */
export type ThrottleEffect =
  /** Reads what is there now and touches nothing; `known` is what was prepared before, when it grew. */
  | {
      readonly type: 'PrepareThrottle';
      readonly target: ThrottleTarget;
      readonly sharePercent: number;
      readonly known: ThrottleRecord | null;
    }
  | { readonly type: 'SetThrottle'; readonly record: ThrottleRecord }
  | { readonly type: 'UndoThrottle'; readonly record: ThrottleRecord };

/** What became of it. */
export type ThrottleFact =
  | { readonly type: 'ThrottlePrepared'; readonly record: ThrottleRecord }
  | { readonly type: 'PrepareFailed'; readonly reason: string }
  | { readonly type: 'ThrottleSet' }
  /** It may be set in part. */
  | { readonly type: 'SetFailed'; readonly reason: string }
  | { readonly type: 'ThrottleUndone' }
  | { readonly type: 'UndoFailed'; readonly reason: string };
