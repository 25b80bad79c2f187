/**
 * The whole program: runs the command line and exits with its code. File descriptors inherited by accident are closed
 * BEFORE any other module is loaded, while the program has opened none itself. Each command is loaded on demand.
 */
import { closeInherited } from '../os/inherited-descriptors.js';
import type { Handover } from './thin/handover.js';

/** Runs it, with what the thin path has done already, and sets the exit code of the process. */
export async function runWhole(args: readonly string[], handover: Handover | undefined): Promise<void> {
  const variables = Object.entries(process.env).filter(([name]) => name.startsWith('TRITMESH_'));
  closeInherited([...args, ...variables.map(([, value]) => value ?? '')]);
  const { runProgram } = await import('./program.js');

  // When the reader of stdout goes away (`tritmesh watch | head`), the program exits quietly.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A command that still has something to do (cancel its job) has a listener of its own.
    if (process.stdout.listenerCount('error') > 1) return;
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });

  // A reader of stderr that goes away (`2>&1 | head`) must neither cause a stack trace nor end the job.
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

  process.exitCode = await runProgram(args, handover);
}
