/**
 * Finds out why a podman call failed, from its output: the cause given by criu if criu failed, else podman's own
 * sentence. The result is short and for people. A sentence that is too long loses its beginning, because these
 * programs say at the end what is wrong.
 */
import { findCause } from '../checkpoint/criu-log.js';
import { tryReadText } from '../os/try-read.js';

const FAULT_CHARS_MAX = 300;

/**
 * Returns the reason in at most 300 characters, from criu's log if podman's output names one. `otherwise`: used when
 * podman wrote no `Error:`.
 */
export function readFault(text: string, otherwise: string | undefined): string {
  const own = composeOwn(text) ?? otherwise ?? 'podman gave no reason';
  const [, log] = [...text.matchAll(CRIU_LOG)].at(-1) ?? [];
  const cause = log === undefined ? undefined : findCause(tryReadText(log) ?? '');
  // criu reports the cause first and the consequences after it, so here the beginning is kept.
  return cause?.slice(0, FAULT_CHARS_MAX) ?? keepEnd(own);
}

/** Path of criu's log, as runc and crun name it: `… log file: /x/dump.log`, `… CRIU logfile /x/restore.log`. */
const CRIU_LOG = /(\/[^\s"\\]*\/(?:dump|restore)\.log)\b/g;

/** The last `Error:`; if it is only the runtime's command line and exit code, its last error message is appended. */
function composeOwn(text: string): string | undefined {
  const [, sentence] = [...text.matchAll(/^Error: (.*)$/gm)].at(-1) ?? [];
  const [, command, rest = ''] = /^`(\S+ \S+)[^`]*`(.*)$/.exec(sentence ?? '') ?? [];
  if (command === undefined) return sentence;
  const [, words] = [...text.matchAll(/ level=error msg="((?:[^"\\]|\\.)*)"/g)].at(-1) ?? [];
  return `${command}${rest}${words === undefined ? '' : `: ${words}`}`;
}

function keepEnd(text: string): string {
  return text.length <= FAULT_CHARS_MAX ? text : `…${text.slice(1 - FAULT_CHARS_MAX)}`;
}
