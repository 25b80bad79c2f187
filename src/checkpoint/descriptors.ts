/**
 * Sorts what the tasks of a tree have open into files that travel and obstacles: terminals, devices, io_uring,
 * message queues, and pipes that lead out of the tree. Sockets are only collected here. Reads /proc and opens none of
 * the files.
 */
import { statfsSync, statSync } from 'node:fs';
import { type ProcStat } from '../os/proc-stat.js';
import { listDescriptors, listEntries } from './proc-entry.js';

/** A regular file that a task has open. */
export interface OpenPath {
  /** Path as the process knows it. */
  readonly path: string;
  /** Path below /proc that reads it from any mount namespace. */
  readonly through: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What a tree has open. */
export interface Descriptors {
  readonly obstacles: readonly string[];
  readonly files: readonly OpenPath[];
  /** Inodes of sockets, each with the pid of a task that holds it. */
  readonly sockets: ReadonlyMap<string, number>;
}

/** Kinds without a name in the file system that CRIU can dump. */
const MOVABLE = /^anon_inode:(?:\[(?:eventpoll|eventfd|signalfd|timerfd|pidfd)\]|inotify)$|^pidfd:|^\/memfd:/;
/** Device numbers of null, zero, full, random and urandom. */
const HARMLESS_DEVICES: ReadonlySet<number> = new Set([3, 5, 7, 8, 9].map((minor) => 256 + minor));
/** Major numbers of consoles, terminals, and both ends of pseudo terminals. */
const isTerminal = (major: number): boolean => major === 4 || major === 5 || (major >= 128 && major <= 143);
/** Type that `statfs` reports for the file system of POSIX message queues. */
const MQUEUE_MAGIC = 0x1980_0202;
/** Size of the largest deleted file that CRIU puts into an image (`--ghost-limit`). */
export const GHOST_BYTES_MAX: number = 64 * 1024 * 1024;

/** Reads the open descriptors of all tasks of a tree. */
export function readDescriptors(tree: readonly ProcStat[]): Descriptors {
  const { pipes, obstacles, ...found } = readOwnDescriptors(tree);
  const shared = findOthers(pipes, tree).map((other) => `it shares a pipe with ${other.name} (${other.pid})`);
  return { ...found, obstacles: [...new Set([...obstacles, ...shared])] };
}

/** Reads them without looking for others that hold the same pipes, which means reading those of every process. */
export function readOwnDescriptors(
  tree: readonly ProcStat[],
): Descriptors & { readonly pipes: ReadonlyMap<string, number> } {
  const obstacles = new Set<string>();
  const files = new Map<string, OpenPath>();
  const sockets = new Map<string, number>();
  const pipes = new Map<string, number>();

  const sortFile = ({ pid, name }: ProcStat, through: string, path: string): void => {
    const stats = statSync(through, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (stats.isFile() && isMessageQueue(through)) {
      obstacles.add(`${name} (${pid}) has the POSIX message queue ${path} open`);
      return;
    }
    const deleted = path.endsWith(' (deleted)');
    if (stats.isCharacterDevice() || stats.isBlockDevice()) {
      const major = stats.rdev >> 8;
      if (stats.isCharacterDevice() && isTerminal(major)) obstacles.add(`it has the terminal ${path} open`);
      else if (!HARMLESS_DEVICES.has(stats.rdev)) obstacles.add(`it has the device ${path} open`);
    } else if (deleted && stats.size > GHOST_BYTES_MAX) {
      obstacles.add(`${name} (${pid}) has a deleted file of more than 64 MiB open: ${path}`);
    } else if (stats.isFile() && !deleted) {
      const { size, mode, uid, gid } = stats;
      files.set(path, { path, through, size, mode: mode & 0o7777, uid, gid });
    }
  };

  for (const task of tree) {
    for (const [number, target] of listDescriptors(task.pid)) {
      const inode = /^(?:pipe|socket):\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined) (target.startsWith('pipe') ? pipes : sockets).set(inode, task.pid);
      else if (target === 'anon_inode:[io_uring]') obstacles.add(`${task.name} (${task.pid}) uses io_uring`);
      else if (MOVABLE.test(target)) continue;
      else if (target.startsWith('/')) sortFile(task, `/proc/${task.pid}/fd/${number}`, target);
      else obstacles.add(`${task.name} (${task.pid}) holds ${target}, which criu cannot move`);
    }
  }
  return { obstacles: [...obstacles], files: [...files.values()], sockets, pipes };
}

/** `stat` reports a message queue as a regular file, but its path does not name any. */
function isMessageQueue(through: string): boolean {
  try {
    return statfsSync(through).type === MQUEUE_MAGIC;
  } catch {
    return false;
  }
}

/** Processes outside the tree that hold an end of one of its pipes. A pipe without any other end can move as it is. */
function findOthers(pipes: ReadonlyMap<string, number>, tree: readonly ProcStat[]): readonly ProcStat[] {
  if (pipes.size === 0) return [];
  const inside = new Set(tree.map(({ pid }) => pid));
  return listEntries().filter(({ pid }) => {
    if (inside.has(pid)) return false;
    return [...listDescriptors(pid).values()].some((target) => {
      const inode = /^pipe:\[(\d+)\]$/.exec(target)?.[1];
      return inode !== undefined && pipes.has(inode);
    });
  });
}
