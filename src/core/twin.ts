/**
 * Two machines with one identity: a cloned VM, a copied SD card, a restored backup beside its original. They have one key and one
 * journal, so they must not both go on. Which of them does is decided here, by both from the same facts; in doubt neither does.
 */
import type { MachineFit } from './machine-fit.js';

/** What a node tells of itself to one that may be its twin. */
export interface TwinFacts {
  /** Drawn at each start: nothing else tells a twin from oneself. */
  readonly instance: string;
  /** Names its machine for people. */
  readonly host: string;
  /** How well its state directory fits its machine; `unknown` for a version that does not tell. */
  readonly fit: MachineFit | 'unknown';
  /** Number of its run, the seconds since 1970 at its start: the lower is the earlier. */
  readonly boot: number;
}

/** Who goes on. */
export type TwinVerdict = 'mine' | 'theirs' | 'neither';

/** A version that does not tell cannot yield either: whoever meets it does. */
const WEIGHT: Readonly<Record<TwinFacts['fit'], number>> = { unknown: 3, fits: 2, partly: 1, other: 0 };

/** Judges: the one that is still on its own machine goes on, else the one that was started first. */
export function judgeTwin(mine: TwinFacts, theirs: TwinFacts): TwinVerdict {
  const byFit = WEIGHT[mine.fit] - WEIGHT[theirs.fit];
  if (byFit !== 0) return byFit > 0 ? 'mine' : 'theirs';
  if (mine.boot === theirs.boot) return 'neither';
  return mine.boot < theirs.boot ? 'mine' : 'theirs';
}

/** What to say on the one that stays off, of the other. */
export function describeTwin(id: string, twin: TwinFacts, verdict: Exclude<TwinVerdict, 'mine'>): string {
  const what =
    verdict === 'theirs'
      ? `node ${id} runs on ${nameTwin(twin)} with the key of this state directory: one of the two is a copy of the other`
      : `node ${id} was started on ${nameTwin(twin)} too, with the key of this state directory, and nothing tells which of the two is the copy`;
  return (
    `${what}. This one stays off, so that nothing runs twice. If this is the copy, make it a node of its own with ` +
    `"tritmesh reset-identity"; if it is the one to go on, stop the other and start this again`
  );
}

/** What to say on the one that goes on. */
export function describeLoser(twin: TwinFacts): string {
  return (
    `a copy of this node was started on ${nameTwin(twin)} and stays off: make that a node of its own there, ` +
    `with "tritmesh reset-identity"`
  );
}

/** What to say of a node of another id that has this node's key. */
export function describeNamesake(id: string, host: string): string {
  return (
    `node ${id} on ${host} has the key of this node: one of the two state directories is a copy of the other; make that a node ` +
    `of its own with "tritmesh reset-identity"`
  );
}

/** Its machine, with the time of its start: a copy often has its original's host name too. */
export function nameTwin({ host, boot }: TwinFacts): string {
  const since = boot > 0 ? ` (started ${new Date(boot * 1000).toISOString().slice(0, 19)}Z)` : '';
  return `${host === '' ? 'another machine' : host}${since}`;
}
