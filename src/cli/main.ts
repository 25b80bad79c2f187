#!/usr/bin/env node
/**
 * The program `tritmesh`: reads the command line and exits with its code. What it inherited by accident is closed BEFORE any
 * other module is loaded, so that nothing of its own can be open yet. Each command is loaded only when it is asked for.
 */
import { closeInherited } from '../inherited-descriptors.js';

const args = process.argv.slice(2);
const variables = Object.entries(process.env).filter(([name]) => name.startsWith('TRITMESH_'));
closeInherited([...args, ...variables.map(([, value]) => value ?? '')]);
const { runProgram } = await import('./program.js');

// A reader that went away (`tritmesh watch | head`) ends the program quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A command that has more to do then (a job to take back) listens by itself.
  if (process.stdout.listenerCount('error') > 1) return;
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// Nobody reads what goes wrong (`2>&1 | head`): that is no reason to end with a stack trace, or to give up a job.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runProgram(args);
