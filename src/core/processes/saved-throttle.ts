/**
 * A throttle as the journal stores it, with the effects and events about it. The record is in the journal BEFORE a
 * process is touched, so the node can undo the throttle at its next boot, whatever happens in between.
 */

/** How processor time is limited, best method first. */
export type ThrottleMethod = 'cgroup-v2' | 'cgroup-v1' | 'autogroup' | 'duty-cycle';

/** All methods, in the order in which they are tried. */
export const THROTTLE_METHODS: readonly ThrottleMethod[] = ['cgroup-v2', 'cgroup-v1', 'autogroup', 'duty-cycle'];

/** A process to be throttled. */
export interface ThrottleProcess {
  readonly pid: number;
  /** Its start time as the system counts it, if known: a process that reused the pid is left alone. */
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
  /** The previous setting: the directory of its cgroup, or the nice value of its autogroup. */
  readonly before: string;
}

/** Everything needed to set a throttle again and to undo it. JSON. */
export interface SavedThrottle {
  readonly target: string;
  readonly method: ThrottleMethod;
  /** Share of one core for all its processes together, 0..100 times the cores. */
  readonly sharePercent: number;
  /** Where it is set: a cgroup directory or an autogroup; empty if the method has no such place. */
  readonly place: string;
  /** Previous limit of a place that already existed; empty if the place is created for the throttle. */
  readonly limit: string;
  readonly processes: readonly ThrottledProcess[];
}

/** Effects on a throttle. */
export type ThrottleEffect =
  /** Reads the present settings and changes nothing; `known` is the previous record if processes were added. */
  | {
      readonly type: 'PrepareThrottle';
      readonly target: ThrottleTarget;
      readonly sharePercent: number;
      readonly known: SavedThrottle | null;
    }
  | { readonly type: 'SetThrottle'; readonly record: SavedThrottle }
  | { readonly type: 'UndoThrottle'; readonly record: SavedThrottle };

/** Outcomes of throttle effects. */
export type ThrottleEvent =
  | { readonly type: 'ThrottlePrepared'; readonly record: SavedThrottle }
  | { readonly type: 'PrepareFailed'; readonly reason: string }
  | { readonly type: 'ThrottleSet' }
  /** It may have been set in part. */
  | { readonly type: 'SetFailed'; readonly reason: string }
  | { readonly type: 'ThrottleUndone' }
  | { readonly type: 'UndoFailed'; readonly reason: string };
