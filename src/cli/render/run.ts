/** What `tritmesh run` tells of its item: each step in a line, and how it ended. Pure. */
import type { Progress } from '../../protocol/work-messages.js';
import type { Status } from '../../protocol/status.js';
import { formatBytes, formatRun, showText } from './words.js';

/** A step of the item as a line; the same text means the same step. */
export function describeStep(item: string, status: Status): string {
  const where = status.receiver === null ? '' : ` on ${status.receiver}`;
  const why = status.reason === '' ? '' : `: ${showText(status.reason)}`;
  const blocked = status.blocked.map((one) => `\n  ${one.node}: ${showText(one.reason)}`).join('');
  return `${item} is ${status.phase}${where}${why}${blocked}`;
}

/** How far files have come; `undefined` when there is nothing to tell. */
export function describeProgress(item: string, progress: Progress & { readonly node: string }): string | undefined {
  const { phase, bytes, bytes_total, node } = progress;
  if (phase !== 'fetching' || bytes === undefined) return undefined;
  const whole = bytes_total === undefined ? '' : ` of ${formatBytes(bytes_total)}`;
  return `${item}: ${node} has fetched ${formatBytes(bytes)}${whole}`;
}

/** Whether nothing more comes without a person: it has ended, or it is lost. */
export function isOver({ phase }: Pick<Status, 'phase'>): boolean {
  return phase === 'done' || phase === 'failed' || phase === 'cancelled' || phase === 'lost';
}

/** The exit code that `tritmesh run` gives: the job's own, 130 when cancelled, 1 when there is none. */
export function exitCodeOf(status: Pick<Status, 'phase' | 'exit_code'>): number {
  if (status.phase === 'cancelled') return 130;
  return status.phase === 'done' ? (status.exit_code ?? 1) : 1;
}

/** Whether it has run and there is no way to what it left: nothing more comes until somebody makes one. */
export function isStuck({ phase, unreached }: Pick<Status, 'phase' | 'unreached'>): boolean {
  return phase === 'returning' && unreached === true;
}

/** What a person must know of an item whose outputs are away. */
export function describeStuck(item: string, status: Status): string {
  return `${item} has run: ${showText(status.reason)}; they come by themselves when there is a way, or with "tritmesh fetch ${item}"`;
}

/** What the shell's convention calls a program that is not there. */
const NOT_FOUND = 127;

/** What a person must know of the end; `undefined` when the exit code says it all. */
export function describeEnd(item: string, program: string, status: Status): string | undefined {
  const node = status.receiver ?? 'its receiver';
  const reason = showText(status.reason);
  switch (status.phase) {
    case 'failed':
      return `${item} failed: ${reason}`;
    case 'cancelled':
      return `${item} was cancelled: ${reason}`;
    case 'lost':
      return `${item} is lost: ${reason}; "tritmesh retry ${item}" starts it once more`;
    default:
      if (status.exit_code === null) return `${item} left no exit code: ${reason}`;
      if (status.exit_code === NOT_FOUND)
        return `exit code 127: ${showText(program)}, or a program that it calls, was not found on ${node}`;
      return describeExit(item, node, reason, status);
  }
}

function describeExit(item: string, node: string, reason: string, status: Status): string | undefined {
  const isBare = reason === '' || reason === `exit code ${status.exit_code}`;
  if (status.signal === null) return isBare ? undefined : `${item}: ${reason}`;
  return `${item} was ended by ${status.signal} on ${node}${isBare ? '' : `: ${reason}`}`;
}

/** The end as a line for who wants to hear it all. */
export function describeCost(item: string, status: Status): string {
  const run = status.run_ms === null ? '' : ` after ${formatRun(status.run_ms)}`;
  const cpu = status.cpu_s === null ? '' : `, ${status.cpu_s.toFixed(2)} cpu-s`;
  return `${item} is ${status.phase} on ${status.receiver ?? 'no node'}${run}${cpu}, exit code ${status.exit_code ?? 'none'}`;
}
