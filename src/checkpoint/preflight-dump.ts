/**
 * Preflight at the source: reports in plain words what prevents a process tree from being frozen, and collects the
 * facts that a receiver needs. It only reads, and never stops or changes anything.
 */
import { readProc, readProcLink } from '../os/proc-files.js';
import { TICKS_PER_S, type ProcStat } from '../os/proc-stat.js';
import type { DumpPreflight, DumpSubject } from './checkpoint.js';
import type { ImageFacts, OpenFile } from '../protocol/image-facts.js';
import { readDescriptors, readOwnDescriptors, type OpenPath } from './descriptors.js';
import { measureTreeMemory, readMappedMemory, type MappedMemory } from './memory.js';
import { listEntries, listThreads, listTree, readInnerPid } from './proc-entry.js';
import { findSharedObstacles } from './shared-memory.js';
import { findSocketObstacles } from './sockets.js';
import { findSystemVObstacles } from './system-v.js';
import { findRoomObstacle } from '../os/disk-space.js';

/** Files below these are assumed to belong to the system: the receiver must have the same. */
const SYSTEM = /^\/(?:usr|lib|lib32|lib64|libx32|bin|sbin|etc|opt|nix|proc|sys|dev(?!\/shm\/))\//;
/** Time is left out: criu restores a process into a new time namespace and can dump that one again. */
const NAMESPACES = ['mnt', 'net', 'ipc', 'uts', 'user', 'cgroup'] as const;
const NAMESPACE_NAMES: Readonly<Record<string, string>> = { mnt: 'mount', net: 'network', uts: 'host name' };
/** Disk space for the image's own bookkeeping, per task. */
const OVERHEAD_BYTES = 1024 * 1024;

/**
 * Inspects a process tree. Facts are `null` when it does not exist, has ended, is a kernel thread or cannot be read.
 */
export async function preflightDump(subject: DumpSubject): Promise<DumpPreflight> {
  const found = findTree(subject);
  if ('obstacle' in found) return { obstacles: [found.obstacle], facts: null };
  const { entries, tree, exe } = found;
  const descriptors = readDescriptors(tree);
  const memory = readMapped(subject, tree);
  const facts = composeFacts(subject, found, descriptors.files, memory, measureTreeMemory(tree));
  const obstacles = [
    ...(exe.endsWith(' (deleted)') ? [`its program was replaced or deleted: ${facts.exe}`] : []),
    ...findTreeObstacles(subject, tree, entries),
    ...descriptors.obstacles,
    ...memory.obstacles,
    ...findSharedObstacles(tree, entries),
    ...(await findSystemVObstacles(tree, entries)),
    ...(await findSocketObstacles(descriptors.sockets)),
    ...findRoomObstacle(subject.directory, facts.image_bytes + tree.length * OVERHEAD_BYTES),
  ];
  return { obstacles: [...new Set(obstacles)], facts };
}

/**
 * Returns the facts of a tree that was stopped since, `null` when it is gone: only now are they final. Nothing is
 * searched for obstacles, since its process stands still meanwhile; criu found none.
 */
export function inspectStopped(subject: DumpSubject, memoryBytes: number): ImageFacts | null {
  const found = findTree(subject);
  if ('obstacle' in found) return null;
  const { files } = readOwnDescriptors(found.tree);
  return composeFacts(subject, found, files, readMapped(subject, found.tree), memoryBytes);
}

interface FoundTree {
  readonly entries: readonly ProcStat[];
  readonly tree: readonly ProcStat[];
  readonly root: ProcStat;
  readonly exe: string;
}

function findTree({ pid }: DumpSubject): FoundTree | { readonly obstacle: string } {
  const entries = listEntries();
  const tree = listTree(pid, entries);
  const [root] = tree;
  if (root === undefined) return { obstacle: 'there is no such process' };
  if (root.isKernel) return { obstacle: 'it is a thread of the kernel' };
  if (root.state === 'Z') return { obstacle: 'it has ended already' };
  const exe = readProcLink(root.pid, 'exe');
  if (exe === '') return { obstacle: 'it is not ours to read: the node must run as root' };
  return { entries, tree, root, exe };
}

function readMapped({ init }: DumpSubject, tree: readonly ProcStat[]): MappedMemory {
  return readMappedMemory(tree, init === null ? '' : `/proc/${init}/root`);
}

function composeFacts(
  subject: DumpSubject,
  { entries, tree, root, exe }: FoundTree,
  open: readonly OpenPath[],
  { mapped }: MappedMemory,
  memoryBytes: number,
): ImageFacts {
  const live = tree.filter(({ state }) => state !== 'Z');
  const files = open.filter(({ path }) => !isOwn(subject, path)).map(describeOpenFile);
  return {
    v: 1,
    name: root.name,
    root: readInnerPid(root.pid).pid,
    pids: tree.flatMap(({ pid }) => listInnerTasks(pid)),
    shell_job: root.session !== root.pid,
    known_as: subject.knownAs,
    cwd: readProcLink(root.pid, 'cwd'),
    exe: exe.replace(/ \(deleted\)$/, ''),
    mapped: mapped.filter(({ path }) => !isOwn(subject, path)),
    files,
    image_bytes: memoryBytes + files.reduce((sum, file) => sum + (file.carried ? file.size : 0), 0),
    cpu_s: live.reduce((sum, { ownTicks, childTicks }) => sum + ownTicks + childTicks, 0) / TICKS_PER_S,
    wall_ms: subject.init === null ? measureAge(root, entries) : 0,
    criu: '',
  };
}

/** Pids of a process and its threads in their own pid namespace; each must get the same number again on restore. */
function listInnerTasks(pid: number): readonly number[] {
  return listThreads(pid).map((thread) => readInnerPid(thread).pid);
}

function findTreeObstacles(
  { pid, init }: DumpSubject,
  tree: readonly ProcStat[],
  entries: readonly ProcStat[],
): readonly string[] {
  const home = init ?? process.pid;
  const depth = readInnerPid(home).depth;
  const obstacles = new Set<string>();
  for (const task of tree) {
    if (task.state === 'Z') continue;
    const whose = task.pid === pid ? 'it' : `its child ${task.name} (${task.pid})`;
    if (task.tty !== 0) obstacles.add(`${whose} has a terminal: start it with setsid and its output in files`);
    if (isElsewhere(task.pid, home, 'pid'))
      obstacles.add(
        readInnerPid(task.pid).depth > depth
          ? `${whose} is in a pid namespace of its own (a container?)`
          : `${whose} is in another pid namespace than the node`,
      );
    for (const kind of NAMESPACES)
      if (isElsewhere(task.pid, home, kind))
        obstacles.add(`${whose} is in another ${NAMESPACE_NAMES[kind] ?? kind} namespace than the node`);
    if (/^TracerPid:\s*[1-9]/m.test(readProc(task.pid, 'status')))
      obstacles.add(`${whose} is being traced by a debugger`);
  }
  if (init !== null) for (const stray of listStrays(init, tree, entries)) obstacles.add(describeStray(stray));
  return [...obstacles];
}

/** A child that has just ended has no namespaces to read, and does not count as elsewhere. */
function isElsewhere(pid: number, home: number, kind: string): boolean {
  const place = readProcLink(pid, `ns/${kind}`);
  return place !== '' && place !== readProcLink(home, `ns/${kind}`);
}

/**
 * Children of the init that descend from the tree but whose parent has ended. Helpers of the init are in its session,
 * which processes of the tree never are.
 */
function listStrays(init: number, tree: readonly ProcStat[], entries: readonly ProcStat[]): readonly ProcStat[] {
  const [root] = tree;
  const session = entries.find(({ pid }) => pid === init)?.session;
  return entries.filter(
    (one) =>
      one.parent === init &&
      one.pid !== root?.pid &&
      one.pid !== root?.parent &&
      one.session !== session &&
      one.state !== 'Z',
  );
}

function describeStray({ name, pid }: ProcStat): string {
  return `${name} (${pid}) has left its process tree: its parent ended`;
}

/** Files below the run's directory travel with it. */
function isOwn({ knownAs }: DumpSubject, path: string): boolean {
  return knownAs !== null && path.startsWith(`${knownAs}/`);
}

function describeOpenFile({ path, size, mode, uid, gid }: OpenPath): OpenFile {
  return { path, size, mode, uid, gid, carried: !SYSTEM.test(path) };
}

/**
 * Age of a process in milliseconds: how much earlier than this program it was started, plus the uptime of this
 * program. /proc/uptime is not used, because it may be unreadable or jump under LXCFS, and the age counts against a
 * wall-clock limit. Time that the machine spends suspended while this program runs is left out.
 */
function measureAge({ startTicks }: ProcStat, entries: readonly ProcStat[]): number {
  const own = entries.find(({ pid }) => pid === process.pid)?.startTicks ?? startTicks;
  const ageMs = ((Number(own) - Number(startTicks)) / TICKS_PER_S) * 1000 + process.uptime() * 1000;
  return Number.isFinite(ageMs) ? Math.max(0, ageMs) : 0;
}
