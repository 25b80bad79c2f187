/**
 * Two machines with one identity: a cloned VM, a copied SD card, a backup restored next to its original. They share a
 * key and a journal, so they must not both run. Both decide here which of them does, from the same facts; in doubt
 * neither does.
 */
import type { MachineFit } from '../mesh/machine-fit.js';

/** What a node reports about itself to a possible twin. */
export interface TwinContext {
  /** Drawn at random at each start: only this distinguishes a twin from the node itself. */
  readonly instance: string;
  /** Host name of its machine, for people. */
  readonly host: string;
  /** How well its state directory fits its machine; `unknown` for a version that does not report it. */
  readonly fit: MachineFit | 'unknown';
  /** Its boot number, the seconds since 1970 at its start: the lower one started earlier. */
  readonly boot: number;
}

/** Which of the two keeps running. */
export type TwinVerdict = 'mine' | 'theirs' | 'neither';

/** A version that does not report its fit does not yield either, so the other one has to. */
const WEIGHT: Readonly<Record<TwinContext['fit'], number>> = { unknown: 3, fits: 2, partly: 1, other: 0 };

/** Decides: the node that is still on its own machine keeps running, else the one that was started first. */
export function judgeTwin(mine: TwinContext, theirs: TwinContext): TwinVerdict {
  const byFit = WEIGHT[mine.fit] - WEIGHT[theirs.fit];
  if (byFit !== 0) return byFit > 0 ? 'mine' : 'theirs';
  if (mine.boot === theirs.boot) return 'neither';
  return mine.boot < theirs.boot ? 'mine' : 'theirs';
}

/** The sentence that the node that stays off reports about the other one. */
export function describeTwin(id: string, twin: TwinContext, verdict: Exclude<TwinVerdict, 'mine'>): string {
  const what =
    verdict === 'theirs'
      ? `node ${id} runs on ${nameTwin(twin)} with the key of this state directory: one of the two is a copy of the other`
      : `node ${id} was started on ${nameTwin(twin)} too, with the key of this state directory, and it cannot be told which of the two is the copy`;
  return (
    `${what}. This one stays off, so that nothing runs twice. If this is the copy, make it a node of its own with ` +
    `"tritmesh reset-identity"; if this is the one to keep, stop the other and start this one again`
  );
}

/** The sentence that the node that keeps running reports. */
export function describeLoser(twin: TwinContext): string {
  return (
    `a copy of this node was started on ${nameTwin(twin)} and stays off: make that a node of its own there, ` +
    `with "tritmesh reset-identity"`
  );
}

/** The sentence about a node with another id and this node's key. */
export function describeNamesake(id: string, host: string): string {
  return (
    `node ${id} on ${host} has the key of this node: one of the two state directories is a copy of the other; make that a node ` +
    `of its own with "tritmesh reset-identity"`
  );
}

/** Names its machine with the time of its start: a copy often has the host name of its original. */
export function nameTwin({ host, boot }: TwinContext): string {
  const since = boot > 0 ? ` (started ${new Date(boot * 1000).toISOString().slice(0, 19)}Z)` : '';
  return `${host === '' ? 'another machine' : host}${since}`;
}
