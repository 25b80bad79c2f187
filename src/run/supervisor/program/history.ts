/**
 * Keeps the lines of a log that still mean something, so that the log can be replaced by a shorter one: those of live
 * runs, and of ended ones whose directory still exists.
 */
import { existsSync } from 'node:fs';
import type { SupervisorLine } from '../lines.js';

/** The lines of a log that are not out of date. */
export interface LineHistory {
  add(line: SupervisorLine): void;
  /** The lines that a new log must have. Forgets the others. */
  list(): readonly SupervisorLine[];
}

interface KnownRun {
  readonly directory: string;
  readonly lines: SupervisorLine[];
}

/** Creates the history; `first` is the first line of the log. */
export function createLineHistory(first: SupervisorLine): LineHistory {
  const runs = new Map<number, KnownRun>();
  let doubt: SupervisorLine | undefined;

  return {
    add: (line) => {
      if (line.word === 'begin') runs.set(line.id, { directory: line.directory, lines: [line] });
      else if ('id' in line) runs.get(line.id)?.lines.push(line);
      else if (line.word === 'doubt') doubt = line;
    },
    list: () => {
      for (const [id, { directory, lines }] of runs) {
        const isOver = lines.some(({ word }) => word === 'end' || word === 'fail');
        if (isOver && !existsSync(directory)) runs.delete(id);
      }
      return [first, ...(doubt === undefined ? [] : [doubt]), ...[...runs.values()].flatMap(({ lines }) => lines)];
    },
  };
}
