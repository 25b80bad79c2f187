/**
 * Creates the throttle of this machine. The configured methods are tried once, and each target gets the first one
 * that accepts it. Undoing depends only on the record, so a method that has since been removed from the configuration
 * still undoes its own throttles.
 */
import type { Clock } from '../clock/clock.js';
import {
  THROTTLE_METHODS,
  type ThrottleMethod,
  type SavedThrottle,
  type ThrottleTarget,
} from '../core/processes/saved-throttle.js';
import { createAutogroup } from './autogroup.js';
import { createCgroupFiles } from './cgroup-files.js';
import { createCgroupV1 } from './cgroup-v1.js';
import { createCgroupV2 } from './cgroup-v2.js';
import { createDutyCycle } from './duty-cycle.js';
import type { LiveTarget, Method } from './method.js';
import { isSame, readThrottleEntry } from './process-entry.js';
import type { Throttle } from './throttle.js';

/** How to throttle on this machine. */
export interface ThrottleOptions {
  readonly clock: Pick<Clock, 'now' | 'scheduler'>;
  /** The id of the node. It is part of the names of cgroups, which keeps two nodes on one machine apart. */
  readonly tag: string;
  /** Methods that may be used, in any order. */
  readonly methods: readonly ThrottleMethod[];
  /** Whether a process guards a run, such as a launcher or watchdog: such a process must never be stopped. */
  isGuard(pid: number): boolean;
}

/** Creates all methods, in the order in which they are tried. */
export function createMethods({ clock, tag }: Pick<ThrottleOptions, 'clock' | 'tag'>): readonly Method[] {
  const files = createCgroupFiles();
  return [createCgroupV2(files, tag), createCgroupV1(files, tag), createAutogroup(), createDutyCycle(clock)];
}

/** Creates the throttle of this machine. Probes the configured methods at once, which starts short-lived processes. */
export function createThrottle(options: ThrottleOptions): Throttle {
  return joinMethods(createMethods(options), options.methods, options.isGuard);
}

const GONE = 'none of its processes is there any more';

/**
 * Combines methods into one throttle. Those in `wanted` are probed at once; the others only set and undo old records.
 */
export function joinMethods(
  all: readonly Method[],
  wanted: readonly ThrottleMethod[],
  isGuard: (pid: number) => boolean,
): Throttle {
  const missing = new Map<ThrottleMethod, string>();
  for (const one of all) {
    const reason = wanted.includes(one.method) ? one.probe() : 'it is not in scum.throttle_methods';
    if (reason !== undefined) missing.set(one.method, reason);
  }
  const working = all.filter(({ method }) => !missing.has(method));
  const find = (method: ThrottleMethod): Method | undefined => all.find((one) => one.method === method);
  const unknown = { ok: false, reason: 'its method is not known here' } as const;
  return {
    methods: THROTTLE_METHODS.filter((method) => working.some((one) => one.method === method)),
    missing,
    prepare: (target, sharePercent, known) => {
      const live = lookUp(target, isGuard);
      if (live.processes.length === 0) return { ok: false, reason: GONE };
      const candidates = known === null ? working : working.filter(({ method }) => method === known.method);
      const reasons: string[] = [];
      for (const one of candidates) {
        const prepared = one.prepare(live, sharePercent, known);
        if (prepared.ok) return { ok: true, record: keepKnown(prepared.record, known) };
        reasons.push(`${one.method}: ${prepared.reason}`);
      }
      return { ok: false, reason: reasons.join('; ') || 'nothing that throttles works here' };
    },
    set: (record) => {
      // After a restart of the node a pid may belong to another process.
      const processes = record.processes.filter(isSame);
      if (processes.length === 0) return { ok: false, reason: GONE };
      return find(record.method)?.set({ ...record, processes }) ?? unknown;
    },
    undo: (record) => find(record.method)?.undo(record) ?? unknown,
    close: () => {
      for (const one of all) one.close();
    },
  };
}

/** Processes that have left the target and still live remain throttled, and must be undone with it. */
function keepKnown(record: SavedThrottle, known: SavedThrottle | null): SavedThrottle {
  const pids = new Set(record.processes.map(({ pid }) => pid));
  const left = known?.processes.filter((process) => !pids.has(process.pid) && isSame(process)) ?? [];
  return { ...record, processes: [...record.processes, ...left] };
}

function lookUp({ target, processes }: ThrottleTarget, isGuard: (pid: number) => boolean): LiveTarget {
  const living = processes.flatMap(({ pid, start }) => {
    const entry = readThrottleEntry(pid);
    return entry === undefined || (start !== undefined && entry.start !== start) ? [] : [entry];
  });
  const guards = living.filter(({ pid }) => isGuard(pid));
  return {
    target,
    processes: living.filter((one) => !guards.includes(one)).map(({ pid, start }) => ({ pid, start })),
    bystanders: guards.map(({ pid }) => pid),
  };
}
