/**
 * Why a call of podman's failed, from what it wrote: the cause that criu gave when criu was the one, else podman's own
 * sentence. It is for people, and short; of a sentence that is too long the end stays, where these programs say what is
 * wrong.
 */
import { findCause } from '../checkpoint/criu-log.js';
import { tryReadText } from '../os/try-read.js';

const FAULT_CHARS_MAX = 300;

/**
 * Reads it, also from criu's log where podman's words name one; `otherwise`: what is known when podman wrote no
 * `Error:`.
 */
export function readFault(text: string, otherwise: string | undefined): string {
  const own = composeOwn(text) ?? otherwise ?? 'podman gave no reason';
  const [, log] = [...text.matchAll(CRIU_LOG)].at(-1) ?? [];
  const cause = log === undefined ? undefined : findCause(tryReadText(log) ?? '');
  // criu says the cause first, and what follows from it then.
  return cause?.slice(0, FAULT_CHARS_MAX) ?? keepEnd(own);
}

/** As runc and crun name it: `… log file: /x/dump.log`, `… CRIU logfile /x/restore.log`. */
const CRIU_LOG = /(\/[^\s"\\]*\/(?:dump|restore)\.log)\b/g;

/** The last `Error:`; one that is but the runtime's command line and exit code gets the runtime's last words. */
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
