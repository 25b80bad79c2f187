/**
 * Throttles with the nice value of an autogroup, by which the kernel weights sessions. It is a weight, not a limit:
 * nothing is held back unless other processes want the processor. A whole session shares one autogroup, so a session
 * with other processes in it is left alone.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { SavedThrottle } from '../core/processes/saved-throttle.js';
import { listPids } from '../os/proc-files.js';
import { tryReadText } from '../os/try-read.js';
import { attempt, type LiveTarget, type Method } from './method.js';
import { isSame } from './process-entry.js';
import type { ThrottleOutcome, PreparedThrottle } from './throttle.js';

/** Creates the method, which works only on Linux with autogroups turned on. */
export function createAutogroup(): Method {
  return { method: 'autogroup', probe, prepare, set, undo, close: () => undefined };
}

function probe(): string | undefined {
  if (tryReadText('/proc/sys/kernel/sched_autogroup_enabled')?.trim() !== '1')
    return 'this kernel has no autogroups on';
  const obstacle = findGroupObstacle(process.pid);
  if (obstacle !== undefined) return obstacle;
  // In a new session without other processes: sets the nice value and reads it back.
  const script = 'echo 5 >/proc/$$/autogroup && cat /proc/$$/autogroup';
  const { stdout } = spawnSync('setsid', ['sh', '-c', script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return (stdout ?? '').trim().endsWith('nice 5') ? undefined : 'the nice value of an autogroup cannot be set';
}

function prepare(target: LiveTarget, sharePercent: number, known: SavedThrottle | null): PreparedThrottle {
  const groups = new Set(target.processes.flatMap(({ pid }) => readAutogroup(pid)?.group ?? []));
  const [place] = groups;
  if (place === undefined) return { ok: false, reason: 'it is in no autogroup' };
  // A process that has started its own session since then has its own autogroup with its own weight.
  if (known === null && groups.size > 1) return { ok: false, reason: 'its processes are in several sessions' };
  const obstacle = findStranger(target, place) ?? findGroupObstacle(target.processes[0]?.pid ?? 0);
  if (obstacle !== undefined) return { ok: false, reason: obstacle };
  const nice = known?.processes[0]?.before ?? readAutogroup(target.processes[0]?.pid ?? 0)?.nice ?? '0';
  const processes = target.processes.map((process) => ({ ...process, before: nice }));
  const kept = known?.place ?? place;
  return {
    ok: true,
    record: { target: target.target, method: 'autogroup', sharePercent, place: kept, limit: '', processes },
  };
}

function set(record: SavedThrottle): ThrottleOutcome {
  return writeNice(record, String(niceOf(record.sharePercent)));
}

function undo(record: SavedThrottle): ThrottleOutcome {
  return writeNice(record, record.processes[0]?.before ?? '0');
}

/** Sets the nice value through any living member of the autogroup. Without members there is nothing to set. */
function writeNice({ place, processes }: SavedThrottle, nice: string): ThrottleOutcome {
  const member =
    processes.find((process) => isSame(process) && readAutogroup(process.pid)?.group === place)?.pid ??
    listGroup(place)[0];
  if (member === undefined) return { ok: true };
  return attempt('the nice value of its autogroup could not be set', () =>
    writeFileSync(`/proc/${member}/autogroup`, nice),
  );
}

/** One nice step is a factor of 1.25 in weight; the kernel has 19 steps. */
const STEP = 1.25;
const NICE_MAX = 19;

/** The nice value whose weight is at most this share of that of an ordinary session, or the highest one. */
function niceOf(sharePercent: number): number {
  const share = Math.min(1, Math.max(0.001, sharePercent / 100));
  return Math.min(NICE_MAX, Math.ceil(-Math.log(share) / Math.log(STEP)));
}

function readAutogroup(pid: number): { readonly group: string; readonly nice: string } | undefined {
  const [, group, nice] =
    /^(\/autogroup-\d+) nice (-?\d+)$/.exec(tryReadText(`/proc/${pid}/autogroup`)?.trim() ?? '') ?? [];
  return group === undefined || nice === undefined ? undefined : { group, nice };
}

function listGroup(group: string): readonly number[] {
  return listPids().filter((pid) => readAutogroup(pid)?.group === group);
}

function findStranger(target: LiveTarget, group: string): string | undefined {
  const own = new Set([...target.processes.map(({ pid }) => pid), ...target.bystanders]);
  const stranger = listGroup(group).find((pid) => !own.has(pid));
  return stranger === undefined ? undefined : `its session is shared with process ${stranger}`;
}

/** Autogroups apply only to processes in the root cgroup of the cpu controller. */
function findGroupObstacle(pid: number): string | undefined {
  const lines = (tryReadText(`/proc/${pid}/cgroup`) ?? '').trim().split('\n');
  const cpu = lines
    .map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line))
    .find((one) => one?.[1]?.split(',').includes('cpu'));
  const path = cpu?.[2] ?? lines.map((line) => /^0::(\/.*)$/.exec(line)?.[1]).find((one) => one !== undefined) ?? '/';
  const isOn =
    cpu !== undefined || (tryReadText('/sys/fs/cgroup/cgroup.subtree_control') ?? '').split(/\s/).includes('cpu');
  return isOn && path !== '/' ? 'its cgroup decides, not its session' : undefined;
}
