/**
 * Failures of commands, as the user sees them: one sentence on stderr and an exit code, 2 for bad input and 1 for a
 * failure at run time.
 */
import { describeError, errorCode } from '../os/errors.js';

/** Invalid input; the message names the field, its value and what was expected. */
export class BadInput extends Error {
  override readonly name = 'BadInput';
  readonly field: string;
  readonly value: string;
  readonly expected: string;

  constructor(field: string, value: string, expected: string) {
    super(`${field}${value === '' ? '' : ` ${value}`}: ${expected}`);
    this.field = field;
    this.value = value;
    this.expected = expected;
  }
}

/** The input was valid, but the command failed. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/**
 * Exit codes of every command but `run`, which exits with the code of its job. `unknown`: the outcome cannot be
 * determined; `unread`: stdout was closed, the code of a program ended by SIGPIPE.
 */
export const EXIT = { done: 0, failed: 1, badInput: 2, unknown: 125, cancelled: 130, unread: 141 } as const;

/** Errors caused by the input; their messages are sentences for users. */
const INPUT_FAULTS: ReadonlySet<string> = new Set([
  'BadInput',
  'ConfigError',
  'BrokerUnsafe',
  'PasswordFileFault',
  'IdTaken',
  'IdentityConflict',
  'TwinFound',
]);
/** Errors at run time; their messages are sentences for users. */
const RUN_FAULTS: ReadonlySet<string> = new Set([
  'CommandFailed',
  'RequestFailed',
  'BrokerUnreachable',
  'BrokerStateFault',
  'BusOffline',
  'JournalHeld',
  'KeyFileError',
  'StateFormatError',
  'RenameRefused',
  'StartCalledOff',
]);

/** The sentence to print and the exit code. Any other error is a bug in tritmesh: its stack is shown. */
export function describeCommandFailure(error: unknown): { readonly text: string; readonly code: number } {
  if (!(error instanceof Error)) return { text: describeError(error), code: EXIT.failed };
  if (INPUT_FAULTS.has(error.name)) return { text: error.message, code: EXIT.badInput };
  if (RUN_FAULTS.has(error.name)) return { text: error.message, code: EXIT.failed };
  // The system's own errors (EADDRINUSE, EACCES …) say what and where.
  if (errorCode(error) !== undefined) return { text: error.message, code: EXIT.failed };
  return { text: error.stack ?? error.message, code: EXIT.failed };
}
