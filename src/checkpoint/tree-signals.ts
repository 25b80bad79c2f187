/**
 * Sends a signal to every task of a tree, or of the pid namespace that was made for it: a stopped tree whose root alone
 * is continued leaves its children stopped. It asks nobody whether that is right.
 */
import { readProc } from '../os/proc-files.js';
import type { DumpSubject } from './checkpoint.js';
import { listEntries, listTree } from './proc-entry.js';

/** Sends a signal to all; of a pid namespace to all but its init. Gives the number that were sent one. */
export function signalTree({ pid, init }: Pick<DumpSubject, 'pid' | 'init'>, signal: NodeJS.Signals): number {
  const tree = listTree(init ?? pid, listEntries()).filter((one) => one.pid !== init && one.state !== 'Z');
  return tree.filter((one) => send(one.pid, signal)).length;
}

/** Whether no task of a tree runs: all are stopped, and there is at least one. */
export function isStopped({ pid }: Pick<DumpSubject, 'pid'>): boolean {
  const tree = listTree(pid, listEntries()).filter((one) => one.state !== 'Z');
  return tree.length > 0 && tree.every((one) => one.state === 'T');
}

/** Kills every process that has a variable in its environment; gives how many lived. */
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
