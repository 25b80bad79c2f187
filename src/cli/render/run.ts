/** Renders the lines that `tritmesh run` prints about its item: its steps and its end. Pure. */
import type { ProgressReport } from '../../protocol/work-messages.js';
import { describeExitCode, type Status } from '../../protocol/status.js';
import { formatByteCount, formatRun, showText } from './format.js';

/** A step of the item as text; equal texts mean the same step. */
export function describeStep(item: string, status: Status): string {
  const where = status.receiver === null ? '' : ` on ${status.receiver}`;
  const why = status.reason === '' ? '' : `: ${showText(status.reason)}`;
  const blocked = status.blocked.map((one) => `\n  ${one.node}: ${showText(one.reason)}`).join('');
  return `${item} is ${status.phase}${where}${why}${blocked}`;
}

/** The progress of a file transfer; `undefined` when there is nothing to report. */
export function describeProgress(
  item: string,
  progress: ProgressReport & { readonly node: string },
): string | undefined {
  const { phase, bytes, bytes_total, node } = progress;
  if (phase !== 'fetching' || bytes === undefined) return undefined;
  const whole = bytes_total === undefined ? '' : ` of ${formatByteCount(bytes_total)}`;
  return `${item}: ${node} has fetched ${formatByteCount(bytes)}${whole}`;
}

/** Whether nothing more happens without a person: the item has ended, or it is lost. */
export function isOver({ phase }: Pick<Status, 'phase'>): boolean {
  return phase === 'done' || phase === 'failed' || phase === 'cancelled' || phase === 'lost';
}

/** The exit code of `tritmesh run`: that of the job, 130 when it was cancelled, 1 when there is none. */
export function exitCodeOf(status: Pick<Status, 'phase' | 'exit_code'>): number {
  if (status.phase === 'cancelled') return 130;
  return status.phase === 'done' ? (status.exit_code ?? 1) : 1;
}

/** Whether the item has run but its outputs cannot be reached: nothing more happens until that changes. */
export function isStuck({ phase, unreached }: Pick<Status, 'phase' | 'unreached'>): boolean {
  return phase === 'returning' && unreached === true;
}

/** The sentence about an item whose outputs cannot be reached. */
export function describeStuck(item: string, status: Status): string {
  return `${item} has run: ${showText(status.reason)}; they come home as soon as they can be reached, or with "tritmesh fetch ${item}"`;
}

/** The sentence for a user who stops waiting. */
export function describeLeft(item: string): string {
  return `stopped waiting for ${item}; check it with: tritmesh items, tritmesh logs -f ${item}`;
}

/** Exit code of a program that was not found, by the convention of shells. */
const NOT_FOUND = 127;

/** The sentence about the end; `undefined` when the exit code says it all. */
export function describeEnd(item: string, program: string, status: Status): string | undefined {
  const node = status.receiver ?? 'its receiver';
  const reason = showText(status.reason);
  switch (status.phase) {
    case 'failed':
      return `${item} failed: ${reason}`;
    case 'cancelled':
      return `${item} was cancelled: ${reason}`;
    case 'lost':
      return `${item} is lost: ${reason}; "tritmesh retry ${item}" starts it again`;
    default:
      if (status.exit_code === null) return `${item} has no exit code: ${reason}`;
      if (status.exit_code === NOT_FOUND)
        return `exit code 127: ${showText(program)}, or a program that it calls, was not found on ${node}`;
      return describeExit(item, node, reason, status);
  }
}

function describeExit(item: string, node: string, reason: string, status: Status): string | undefined {
  const isBare = reason === '' || reason === describeExitCode(status.exit_code);
  if (status.signal === null) return isBare ? undefined : `${item}: ${reason}`;
  return `${item} was terminated by ${status.signal} on ${node}${isBare ? '' : `: ${reason}`}`;
}

/** The end as a line for `--verbose`, with its times. */
export function describeCost(item: string, status: Status): string {
  const run = status.run_ms === null ? '' : ` after ${formatRun(status.run_ms)}`;
  const cpu = status.cpu_s === null ? '' : `, ${status.cpu_s.toFixed(2)} cpu-s`;
  return `${item} is ${status.phase} on ${status.receiver ?? 'no node'}${run}${cpu}, exit code ${status.exit_code ?? 'none'}`;
}
