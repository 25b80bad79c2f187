/** What was thrown, as every adapter tells it: anything may be, and the system's errors carry a code. */

/** The message of whatever was thrown, as part of a sentence for people. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of an error of the system (`ENOENT` …) or of a library; `undefined` where it has none in letters. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Whether it carries one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = errorCode(error);
  return code !== undefined && codes.includes(code);
}

/** Whatever was thrown as an error, for who must hand one on. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
