/**
 * The baseline of a move: criu dumps a process, cp copies the image to another directory, criu restores it from there,
 * and it continues. Nothing is hashed, offered or journaled. The flags are those of src/checkpoint.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { GHOST_BYTES_MAX } from '../../src/checkpoint/descriptors.js';
import { findLongestPause } from '../measure/pause.js';
import type { Scratch } from './scratch.js';

const run = promisify(execFile);
const LOOK_MS = 10;

/** The times of a move, ms. */
export interface MoveTimes {
  /** How long the process was frozen. */
  readonly freezeMs: number;
  /** From the request to move until the process ran again. */
  readonly totalMs: number;
}

/** The times of a move by hand, and the size of its image. */
export interface MoveByHand extends MoveTimes {
  readonly imageBytes: number;
}

/** Starts a holder, moves it once and ends it. */
export async function moveByHand(
  scratch: Scratch,
  criu: string,
  holder: (gate: string) => readonly string[],
): Promise<MoveByHand> {
  const inner = scratch.open();
  const { directory } = inner;
  const [from, to] = [join(directory, 'from'), join(directory, 'to')];
  for (const place of [from, to]) mkdirSync(place);
  const output = join(directory, 'stdout');
  const pid = await startHolder(inner, holder(join(directory, 'gate')), output);
  const wish = Date.now();
  const begun = performance.now();
  await run(criu, ['dump', '-t', String(pid), '-D', from, '--ghost-limit', String(GHOST_BYTES_MAX), ...FLAGS]);
  await run('cp', [...listFiles(from), to]);
  const pidFile = join(directory, 'pid');
  await run(criu, ['restore', '-D', to, '-d', '--pidfile', pidFile, '--skip-file-rwx-check', ...FLAGS]);
  const copy = Number(readFileSync(pidFile, 'utf8'));
  inner.defer(() => endProcess(copy));
  process.kill(copy, 'SIGCONT');
  const totalMs = performance.now() - begun;
  process.kill(pid, 'SIGKILL');
  const imageBytes = listFiles(from).reduce((sum, file) => sum + statSync(file).size, 0);
  writeFileSync(join(directory, 'gate'), '');
  const freezeMs = await waitForText(output, (text) =>
    /^held /m.test(text) ? findLongestPause(text, wish) : undefined,
  );
  await inner.close();
  return { freezeMs, totalMs, imageBytes };
}

const FLAGS: readonly string[] = ['-o', 'log', '-v2', '--leave-stopped', '--manage-cgroups=ignore', '--file-locks'];

/** Starts it as the first process of a new pid namespace, so that original and copy can have the same pid. */
async function startHolder(scratch: Scratch, argv: readonly string[], output: string): Promise<number> {
  const stdout = openSync(output, 'a');
  const child = spawn('unshare', ['-p', '-f', 'setsid', ...argv], { cwd: '/', stdio: ['ignore', stdout, stdout] });
  closeSync(stdout);
  const ended = once(child, 'exit');
  await once(child, 'spawn');
  let pid = 0;
  scratch.defer(async () => {
    endProcess(pid);
    await ended;
  });
  await waitForText(output, (text) => /^holds /m.test(text) || undefined);
  pid = Number(execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' }));
  return pid;
}

function endProcess(pid: number): void {
  try {
    if (pid > 0) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** Reads a file again and again until `find` finds something in it. */
async function waitForText<T>(file: string, find: (text: string) => T | undefined): Promise<T> {
  for (;;) {
    const found = find(readFileSync(file, 'utf8'));
    if (found !== undefined) return found;
    await sleep(LOOK_MS);
  }
}

function listFiles(directory: string): readonly string[] {
  return readdirSync(directory).map((name) => join(directory, name));
}
