/** Programs that are spoken to, line by line. They end when their input ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cleanVariables } from './program.js';
import type { Scratch } from './scratch.js';

/** A running program. */
export interface Conversation {
  write(text: string): void;
  /** The next line of its stdout. Rejects if it ends before. */
  nextLine(): Promise<string>;
}

/** Starts a program; its stderr is that of the benchmark. */
export function startConversation(
  scratch: Scratch,
  argv: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Conversation {
  const [file = '', ...args] = argv;
  const env = { ...cleanVariables(), ...variables };
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  const exited = once(child, 'close');
  // A program that ended is reported by `nextLine`.
  exited.catch(() => undefined);
  child.stdin.on('error', () => undefined);
  scratch.defer(async () => {
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    await exited.catch(() => undefined);
    clearTimeout(timer);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    write: (text) => void child.stdin.write(`${text}\n`),
    nextLine: async () => {
      const { done, value } = await lines.next();
      if (done === true) throw new Error(`${argv.join(' ')} ended`);
      return value;
    },
  };
}

/** What is idle ends in far less, ms. */
const GRACE_MS = 5000;
