/**
 * The `command:CMD` ratio: a number printed by a shell command. The command has a time limit, after which its whole
 * process group is killed. Invalid output is an error, never a number.
 */
import { execa, type ExecaError } from 'execa';
import { from, map, Observable, type SchedulerLike, timeout, throwError } from 'rxjs';
import type { RatioOf } from './machine.js';
import { parseRatio, RATIO_MAX } from './metric.js';

/** Output limit. A number is short: a program that prints more than this many characters is printing something else. */
const OUTPUT_CHARS_MAX = 4096;
const SHELL = { shell: true, detached: true, stdin: 'ignore', stderr: 'ignore' } as const;

/** Runs `command` in a shell for each sample. Errors if it fails, exceeds `limitMs` or prints no valid ratio. */
export function createCommandRatio(command: string, limitMs: number, scheduler: SchedulerLike): RatioOf {
  return (look) =>
    runCommand(command).pipe(
      timeout({ first: limitMs, scheduler, with: () => throwError(() => new Error(reportLimit(command, limitMs))) }),
      map((output) => ({ ratio: readOutput(command, output), cpus: look.cpus })),
    );
}

/** Emits the output of the command. Unsubscribing kills its whole process group. */
function runCommand(command: string): Observable<string> {
  return new Observable((subscriber) => {
    // Its own process group: killing it also kills what the shell started.
    const child = execa({ ...SHELL, maxBuffer: OUTPUT_CHARS_MAX })(command);
    let isOver = false;
    const output = from(readPrinted(child)).subscribe({
      next: (printed) => subscriber.next(printed),
      error: (error: unknown) => subscriber.error(new Error(`${command}: ${reportFailure(error as ExecaError)}`)),
      complete: () => {
        isOver = true;
        subscriber.complete();
      },
    });
    return () => {
      output.unsubscribe();
      // The shell may have ended while a process it started still holds the output open; the group id is still valid.
      if (!isOver) endGroup(child.pid);
    };
  });
}

async function readPrinted(child: PromiseLike<{ readonly stdout: string }>): Promise<string> {
  const { stdout } = await child;
  return stdout;
}

function reportFailure(error: ExecaError): string {
  if (error.isMaxBuffer) return `printed more than ${OUTPUT_CHARS_MAX} characters`;
  if (error.signal !== undefined) return `was ended by ${error.signal}`;
  if (error.exitCode === 127) return 'is not a program that the shell finds (exit code 127)';
  return error.exitCode === undefined ? error.originalMessage : `ended with exit code ${error.exitCode}`;
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}

function readOutput(command: string, output: string): number {
  const ratio = parseRatio(output.trim());
  if (ratio !== undefined) return ratio;
  throw new Error(`${command}: printed "${output.trim().slice(0, 40)}", not a number from 0 to ${RATIO_MAX}`);
}

function reportLimit(command: string, limitMs: number): string {
  return `${command}: took over ${limitMs} ms`;
}
