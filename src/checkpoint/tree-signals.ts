/**
 * Signals every task of a tree, or of the pid namespace that was created for it: continuing only the root of a
 * stopped tree would leave its children stopped. Callers decide whether a signal is allowed; nothing is checked here.
 */
import { readProc } from '../os/proc-files.js';
import type { DumpSubject } from './checkpoint.js';
import { listEntries, listTree } from './proc-entry.js';

/**
 * Signals all live tasks of a tree; with an `init`, everything in its pid namespace except the init. Returns how many
 * were signalled.
 */
export function signalTree({ pid, init }: Pick<DumpSubject, 'pid' | 'init'>, signal: NodeJS.Signals): number {
  const tree = listTree(init ?? pid, listEntries()).filter((one) => one.pid !== init && one.state !== 'Z');
  return tree.filter((one) => send(one.pid, signal)).length;
}

/** Whether all live tasks of a tree are stopped; false when there are none. */
export function isStopped({ pid }: Pick<DumpSubject, 'pid'>): boolean {
  const tree = listTree(pid, listEntries()).filter((one) => one.state !== 'Z');
  return tree.length > 0 && tree.every((one) => one.state === 'T');
}

/** Kills every process that has `name=value` in its environment; returns how many were found. */
export function killMarked(name: string, value: string): number {
  const mark = `${name}=${value}`;
  const marked = listEntries().filter(
    ({ pid, state }) => state !== 'Z' && pid !== process.pid && readProc(pid, 'environ').split('\0').includes(mark),
  );
  for (const { pid } of marked) send(pid, 'SIGKILL');
  return marked.length;
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
