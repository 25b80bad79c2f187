#!/usr/bin/env node
/** The program `tritmesh`: reads the command line and exits with its code. Each command is loaded only when it is asked for. */
import { runProgram } from './program.js';

// A reader that went away (`tritmesh watch | head`) ends the program quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runProgram(process.argv.slice(2));
