/**
 * What goes wrong on the command line, as the person sees it: one sentence on stderr and an exit code, 2 for bad input
 * and 1 for what failed at run time.
 */

/** The person gave something that cannot be: names the field, its value and what was expected. */
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

/** The input was good, but it could not be done. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/**
 * Exit codes of every command but `run`, which gives its job's own. `unknown`: nobody can tell it any more; `unread`: as of a program
 * that SIGPIPE ended.
 */
export const EXIT = { done: 0, failed: 1, badInput: 2, unknown: 125, cancelled: 130, unread: 141 } as const;

/** Errors whose message is a sentence for people, and that are the input's fault. */
const INPUT_FAULTS: ReadonlySet<string> = new Set([
  'BadInput',
  'ConfigError',
  'BrokerUnsafe',
  'PasswordFileFault',
  'IdTaken',
  'IdentityConflict',
  'TwinFound',
]);
/** Errors whose message is a sentence for people, and that happened on the way. */
const RUN_FAULTS: ReadonlySet<string> = new Set([
  'CommandFailed',
  'AskFailed',
  'BrokerUnreachable',
  'BrokerStateFault',
  'BusOffline',
  'JournalHeld',
  'KeyFileError',
  'StateFormatError',
  'RenameRefused',
  'StartCalledOff',
]);

/** What to say and how to exit. An error of no known sort is a fault of ours: its stack is shown. */
export function describeFailure(error: unknown): { readonly text: string; readonly code: number } {
  if (!(error instanceof Error)) return { text: String(error), code: EXIT.failed };
  if (INPUT_FAULTS.has(error.name)) return { text: error.message, code: EXIT.badInput };
  if (RUN_FAULTS.has(error.name)) return { text: error.message, code: EXIT.failed };
  // The system's own errors (EADDRINUSE, EACCES …) say what and where.
  if ('code' in error && typeof error.code === 'string') return { text: error.message, code: EXIT.failed };
  return { text: error.stack ?? error.message, code: EXIT.failed };
}
