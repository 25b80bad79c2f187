/**
 * Finds sockets of a tree that cannot move: TCP connections, which the other side would lose, and unix sockets with
 * their other end outside. Listening, UDP and netlink sockets can move. criu itself refuses rarer kinds, and the
 * process continues.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readProc } from '../os/proc-files.js';

const run = promisify(execFile);
const SS_MS = 5000;

/** States of TCP sockets that can move: listening (0A), or closed and not bound (07). */
const TCP_AT_REST: ReadonlySet<string> = new Set(['0A', '07']);

/** Returns the obstacles. `sockets`: inodes in one network namespace, each with the pid of a task that holds it. */
export async function findSocketObstacles(sockets: ReadonlyMap<string, number>): Promise<readonly string[]> {
  const [first] = sockets.values();
  if (first === undefined) return [];
  const tcp = readTcp(first);
  const unix = readUnix(first);
  const obstacles = [...sockets.keys()].flatMap((inode) => {
    const connection = tcp.get(inode);
    return connection === undefined || connection.atRest ? [] : [`it has a TCP connection to ${connection.peer}`];
  });
  const connected = [...sockets.keys()].filter((inode) => unix.get(inode) === true);
  return [...obstacles, ...(await findOutsidePeers(first, connected, sockets))];
}

async function findOutsidePeers(
  pid: number,
  connected: readonly string[],
  sockets: ReadonlyMap<string, number>,
): Promise<readonly string[]> {
  if (connected.length === 0) return [];
  const peers = await askPeers(pid);
  // Without `ss` the peers are unknown, but two ends inside the tree make an even number.
  const isOutside =
    peers === undefined
      ? connected.length % 2 === 1
      : connected.some((inode) => !sockets.has(peers.get(inode) ?? 'none'));
  return isOutside ? ['it is connected by a unix socket to a process outside'] : [];
}

/** Inode of the peer of each unix socket, by inode; `undefined` when `ss` is missing or fails. */
async function askPeers(pid: number): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const { stdout } = await run('nsenter', ['-t', String(pid), '-n', '--', 'ss', '-xaH'], { timeout: SS_MS });
    return new Map(
      stdout.split('\n').flatMap((line) => {
        const [, own, peer] = /\s(\d+)\s+\S+\s+(\d+)\s*$/.exec(line) ?? [];
        return own === undefined || peer === undefined ? [] : [[own, peer] as const];
      }),
    );
  } catch {
    return undefined;
  }
}

interface Connection {
  readonly atRest: boolean;
  readonly peer: string;
}

/** Columns: `sl local remote st … inode`. Addresses are in hex, and only the port is in normal byte order. */
function readTcp(pid: number): ReadonlyMap<string, Connection> {
  const rows = ['net/tcp', 'net/tcp6'].flatMap((table) => readRows(pid, table));
  return new Map(
    rows.flatMap((fields) => {
      const [, , remote, state, , , , , , inode] = fields;
      if (remote === undefined || state === undefined || inode === undefined) return [];
      const port = Number.parseInt(remote.split(':')[1] ?? '', 16);
      return [[inode, { atRest: TCP_AT_REST.has(state), peer: `port ${port} of ${formatAddress(remote)}` }] as const];
    }),
  );
}

/** An IPv4 address is four bytes in host byte order. Of IPv6 addresses, only mapped IPv4 ones are spelled out. */
function formatAddress(remote: string): string {
  const hex = remote.split(':')[0] ?? '';
  const last = hex.slice(-8);
  const bytes = [6, 4, 2, 0].map((at) => Number.parseInt(last.slice(at, at + 2), 16));
  return hex.length === 8 || hex.startsWith('0000000000000000FFFF0000') ? bytes.join('.') : 'an IPv6 address';
}

/** Columns: `Num RefCount Protocol Flags Type St Inode Path`; state 03 is connected. */
function readUnix(pid: number): ReadonlyMap<string, boolean> {
  return new Map(
    readRows(pid, 'net/unix').flatMap(([, , , , , state, inode]) =>
      state === undefined || inode === undefined ? [] : [[inode, state === '03'] as const],
    ),
  );
}

function readRows(pid: number, table: string): readonly (readonly string[])[] {
  return readProc(pid, table)
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
}
