/**
 * Sorts what the tasks of a tree hold open into what travels and what stands in the way: terminals, devices, io_uring,
 * pipes and sockets that lead out of the tree. It reads and opens nothing.
 */
import { statfsSync, statSync } from 'node:fs';
import { type ProcStat } from '../os/proc-stat.js';
import { listDescriptors, listEntries } from './proc-entry.js';

/** One open regular file of one task. */
export interface OpenPath {
  /** As the process knows it. */
  readonly path: string;
  /** Where it can be read, whatever mount namespace it is in. */
  readonly through: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** All that a tree holds open. */
export interface Descriptors {
  readonly obstacles: readonly string[];
  readonly files: readonly OpenPath[];
  /** Inodes of sockets, with a task that holds each. */
  readonly sockets: ReadonlyMap<string, number>;
}

/** Kinds without a name in the file system that CRIU writes down. */
const MOVABLE = /^anon_inode:(?:\[(?:eventpoll|eventfd|signalfd|timerfd|pidfd)\]|inotify)$|^pidfd:|^\/memfd:/;
/** Device numbers of null, zero, full, random and urandom. */
const HARMLESS_DEVICES: ReadonlySet<number> = new Set([3, 5, 7, 8, 9].map((minor) => 256 + minor));
/** Majors of consoles, terminals, and both ends of pseudo terminals. */
const isTerminal = (major: number): boolean => major === 4 || major === 5 || (major >= 128 && major <= 143);
/** The kernel's mark of the file system of message queues. */
const MQUEUE_MAGIC = 0x1980_0202;
/** More than that CRIU does not put into an image of a deleted file (`--ghost-limit`). */
export const GHOST_BYTES_MAX: number = 64 * 1024 * 1024;

/** Looks at all descriptors of a tree. */
export function readDescriptors(tree: readonly ProcStat[]): Descriptors {
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
  for (const other of findOthers(pipes, tree)) obstacles.add(`it shares a pipe with ${other.name} (${other.pid})`);
  return { obstacles: [...obstacles], files: [...files.values()], sockets };
}

/** It calls itself a file, and its path is that of no file. */
function isMessageQueue(through: string): boolean {
  try {
    return statfsSync(through).type === MQUEUE_MAGIC;
  } catch {
    return false;
  }
}

/** Processes outside the tree that hold one of its pipes. What has no other end at all travels as it is. */
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
