#!/usr/bin/env node
/**
 * The program `tritmesh`: tries the thin path of the command line first, which loads next to nothing, and then the
 * whole program. It is bundled as CommonJS, which Node.js loads faster than a module.
 */
import { runThin } from './thin/thin-run.js';

async function main(args: readonly string[]): Promise<void> {
  const ended = await runThin(args);
  if (ended !== undefined && 'code' in ended) {
    process.exitCode = ended.code;
    return;
  }
  const { runWhole } = await import('./whole.js');
  await runWhole(args, ended?.handover);
}

void main(process.argv.slice(2));
