/** Programs that stay while something is measured; each is ended by its own pid. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Scratch } from './scratch.js';

/** The command line as it is installed. */
export const TRITMESH: string = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** A program that stays. */
export interface Program {
  readonly pid: number;
  /** The line that said it is ready. */
  readonly line: string;
}

/** Starts a program, and waits until it says a line that fits on stdout or stderr. Rejects with all it said when it ends before. */
export async function startProgram(scratch: Scratch, argv: readonly string[], ready: RegExp): Promise<Program> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: cleanVariables() });
  const exited = once(child, 'exit');
  // A benchmark that breaks must not leave a node behind.
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

/** A node ends its journal and says goodbye in far less. */
const GRACE_MS = 3000;
const SAID_LINES_MAX = 50;

/** No setting of the person who measures reaches what is measured. */
export function cleanVariables(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TRITMESH_')));
}
