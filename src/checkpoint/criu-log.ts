/**
 * Extracts from a criu log what went wrong, in criu's own words. Works on text and reads no file. Whether criu failed
 * is decided by its exit status, never by a log.
 */

/** Lines that say `Error` but are harmless, or only report that the whole operation failed. */
const HARMLESS = /RLIMIT_NOFILE|kdat|Dumping FAILED|Restoring FAILED/;

/** Returns the first two errors of a log, where criu reports the cause; `undefined` when there is none. */
export function findCause(log: string): string | undefined {
  const errors = [...log.matchAll(/Error \([^)]*\): (.*)$/gm)]
    .map(([, sentence = '']) => sentence)
    .filter((sentence) => !HARMLESS.test(sentence));
  return errors.length === 0 ? undefined : `criu: ${errors.slice(0, 2).join('; ')}`;
}
