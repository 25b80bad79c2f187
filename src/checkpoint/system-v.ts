/**
 * Finds System V shared memory segments, semaphores and message queues that a tree uses. The kernel keeps them
 * outside all processes: criu does not see them unless they are attached, and the restored copy would not find them.
 * Reads kernel lists and runs `ipcs`, but opens none of them.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readProc, readUserIds } from '../os/proc-files.js';
import { TICKS_PER_S, type ProcStat } from '../os/proc-stat.js';
import { tryReadText } from '../os/try-read.js';

const run = promisify(execFile);
const ASK_MS = 5000;
/** Maximum number of semaphore sets that `ipcs` is run for, 2 ms each. */
const ASKED_MAX = 200;
/** The kernel lists times in whole seconds. */
const SLACK_S = 1;

/** Returns the obstacles. `entries` are all processes, `tree` those that are to move. */
export async function findSystemVObstacles(
  tree: readonly ProcStat[],
  entries: readonly ProcStat[],
): Promise<readonly string[]> {
  const objects = [...readSegments(tree), ...(await readSemaphores()), ...readQueues()];
  if (objects.length === 0) return [];
  const inside = new Map(tree.map((one) => [one.pid, one]));
  const alive = new Set(entries.filter(({ state }) => state !== 'Z').map(({ pid }) => pid));
  // Real and effective user ids.
  const users = new Set(tree.flatMap(({ pid }) => readUserIds(pid).slice(0, 2)));
  const since = readStart(tree) - SLACK_S;
  return objects.flatMap(({ what, remove, pids, uid, madeAt }) => {
    const user = pids.map((pid) => inside.get(pid)).find((one) => one !== undefined);
    if (user !== undefined) return [`${user.name} (${user.pid}) uses ${what}`];
    // Its creator has ended, as a helper of a script does. If a live process outside the tree uses it, another user
    // owns it or it is older than the tree, it does not belong to the tree.
    const isOrphan = !pids.some((pid) => alive.has(pid)) && users.has(uid) && madeAt >= since;
    return isOrphan ? [`${what} may be its own: who made it has ended (if nobody needs it: ${remove})`] : [];
  });
}

/** A segment, a set of semaphores or a message queue. */
interface Shared {
  readonly what: string;
  /** The command that removes it. */
  readonly remove: string;
  /** Processes known to have created or used it; they may have ended. */
  readonly pids: readonly number[];
  readonly uid: number;
  /** In seconds since 1970. */
  readonly madeAt: number;
}

/** Leaves attached segments out: memory.ts reports them for the process that attached them. */
function readSegments(tree: readonly ProcStat[]): readonly Shared[] {
  const attached = new Set(tree.flatMap(({ pid }) => listAttached(pid)));
  return readTable('shm')
    .filter(({ shmid }) => !attached.has(shmid ?? -1))
    .map(({ shmid, cpid = 0, lpid = 0, cuid = -1, ctime = 0 }) => ({
      what: `the System V shared memory segment ${shmid}`,
      remove: `ipcrm -m ${shmid}`,
      pids: [cpid, lpid],
      uid: cuid,
      madeAt: ctime,
    }));
}

/** The mapping of a segment has its id where that of a file has the inode. */
function listAttached(pid: number): readonly number[] {
  return [...readProc(pid, 'maps').matchAll(/^\S+ \S+ \S+ \S+ (\d+) +\/SYSV/gm)].map(([, id]) => Number(id));
}

function readQueues(): readonly Shared[] {
  return readTable('msg').map(({ msqid, lspid = 0, lrpid = 0, cuid = -1, ctime = 0 }) => ({
    what: `the System V message queue ${msqid}`,
    remove: `ipcrm -q ${msqid}`,
    pids: [lspid, lrpid],
    uid: cuid,
    madeAt: ctime,
  }));
}

/** The kernel's list does not include who used a set; `ipcs` is run for each. */
async function readSemaphores(): Promise<readonly Shared[]> {
  const found: Shared[] = [];
  for (const [index, { semid, cuid = -1, ctime = 0 }] of readTable('sem').entries()) {
    found.push({
      what: `the System V semaphores ${semid}`,
      remove: `ipcrm -s ${semid}`,
      pids: index < ASKED_MAX ? await askSemaphorePids(semid ?? -1) : [],
      uid: cuid,
      madeAt: ctime,
    });
  }
  return found;
}

/** Pids of the last user of each semaphore in a set. Columns: `semnum value ncount zcount pid`. */
async function askSemaphorePids(id: number): Promise<readonly number[]> {
  try {
    const { stdout } = await run('ipcs', ['-s', '-i', String(id)], {
      timeout: ASK_MS,
      env: { ...process.env, LC_ALL: 'C' },
    });
    return [...stdout.matchAll(/^\d+ +\d+ +\d+ +\d+ +(\d+) *$/gm)].map(([, pid]) => Number(pid));
  } catch {
    // The set is gone or there is no `ipcs`: only its user and age can be judged.
    return [];
  }
}

/** Rows by column name, because newer kernels have added columns. */
function readTable(kind: 'shm' | 'sem' | 'msg'): readonly Readonly<Record<string, number>>[] {
  const [head = [], ...rows] = (tryReadText(`/proc/sysvipc/${kind}`) ?? '')
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return rows.map((row) => Object.fromEntries(head.map((name, at) => [name, Number(row[at])])));
}

/** When the oldest process of the tree was started, in seconds since 1970. */
function readStart(tree: readonly ProcStat[]): number {
  const boot = Number(/^btime (\d+)$/m.exec(tryReadText('/proc/stat') ?? '')?.[1] ?? 0);
  return boot + Math.min(...tree.map(({ startTicks }) => Number(startTicks))) / TICKS_PER_S;
}
