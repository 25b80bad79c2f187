/** Programs that keep running during a measurement. Each is ended by its own pid. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Scratch } from './scratch.js';

/** The compiled command line program. */
export const TRITMESH: string = fileURLToPath(new URL('../../bin/tritmesh.js', import.meta.url));

/** A program that keeps running. */
export interface Program {
  readonly pid: number;
  /** The line with which it reported that it is ready. */
  readonly line: string;
}

/**
 * Starts a program and waits for a line on stdout or stderr that matches `ready`. Rejects with its output if it ends
 * before.
 */
export async function startProgram(
  scratch: Scratch,
  argv: readonly string[],
  ready: RegExp,
  variables: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...cleanVariables(), ...variables } });
  const exited = once(child, 'exit');
  // A benchmark that crashes must not leave a node behind.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  scratch.defer(async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    await exited;
    clearTimeout(timer);
  });
  const said: string[] = [];
  const line = await new Promise<string>((resolve, reject) => {
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (text) => {
        if (said.length < SAID_LINES_MAX) said.push(text);
        if (ready.test(text)) resolve(text);
      });
    }
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${argv.join(' ')} ended:\n${said.join('\n')}`)));
  });
  return { pid: child.pid ?? 0, line };
}

/** A node closes its journal and disconnects in far less, ms. */
const GRACE_MS = 3000;
const SAID_LINES_MAX = 50;

/** The environment without the user's own settings of tritmesh. */
export function cleanVariables(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TRITMESH_')));
}
