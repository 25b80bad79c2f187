/**
 * Runs whose command could not be started: people get a message in stderr and the exit code that a shell would give,
 * as if the command had run, because that is an answer about the job and not about this machine.
 */
import { constants, existsSync, openSync, closeSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createOutputTail } from '../output/output-tail.js';
import type { RunEvent, StartRequest } from '../runner.js';
import type { FailedStep } from '../supervisor/lines.js';
import { findFault } from './compose-start.js';
import type { ProgramFault } from './find-program.js';

/** What a failed step means: a fault of the command, or the reason why this machine could not start anything. */
export function explainFailure(
  order: StartRequest,
  step: FailedStep,
  error: string,
): ProgramFault | { readonly reason: string } {
  if (step !== 'exec' && step !== 'stdin') return { reason: `${REASONS[step]} (${error})` };
  const found = findFault(order);
  if (found !== undefined) return found;
  const [name = ''] = order.command.argv;
  const sentence =
    step === 'exec'
      ? `tritmesh: program cannot be executed: ${name} (${error})`
      : `tritmesh: stdin is not a readable file: ${order.command.stdin ?? ''}`;
  return { exitCode: 126, sentence };
}

const REASONS: Readonly<Record<Exclude<FailedStep, 'exec' | 'stdin'>, string>> = {
  log: 'its start could not be recorded',
  fork: 'its process could not be created',
  cwd: "the run's directory could not be entered",
  stdout: "the run's output could not be opened",
  stderr: "the run's output could not be opened",
};

/** Writes the message into the run's stderr, and reports it and the end of the run. */
export function reportFault(
  { run, directory }: StartRequest,
  fault: ProgramFault,
  tell: (event: RunEvent) => void,
): void {
  writeMessage(directory, `${fault.sentence}\n`);
  for (const output of createOutputTail(directory).read(0, true)) tell({ type: 'RunOutput', run, ...output });
  tell({ type: 'RunExited', run, exitCode: fault.exitCode, signal: null, cpuS: 0, runMs: 0, untouched: true });
}

/** After a crash it may be there already. */
function writeMessage(directory: string, text: string): void {
  const [stdout, stderr] = [join(directory, 'stdout'), join(directory, 'stderr')];
  try {
    if (!existsSync(stdout)) closeSync(openSync(stdout, constants.O_CREAT | constants.O_WRONLY, 0o666));
    if ((statSync(stderr, { throwIfNoEntry: false })?.size ?? 0) === 0) writeFileSync(stderr, text);
  } catch {
    // On a full disk the exit code has to say enough.
  }
}
