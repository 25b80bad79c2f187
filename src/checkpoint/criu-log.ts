/**
 * What a log of criu's says went wrong, in the words for people. It reads text and touches no file; the exit status
 * decides, never a log.
 */

/** Lines that say `Error` and mean no harm. */
const HARMLESS = /RLIMIT_NOFILE|kdat|Dumping FAILED|Restoring FAILED/;

/** The first errors of a log, where criu says the cause; `undefined` when it has none. */
export function findCause(log: string): string | undefined {
  const errors = [...log.matchAll(/Error \([^)]*\): (.*)$/gm)]
    .map(([, sentence = '']) => sentence)
    .filter((sentence) => !HARMLESS.test(sentence));
  return errors.length === 0 ? undefined : `criu: ${errors.slice(0, 2).join('; ')}`;
}
