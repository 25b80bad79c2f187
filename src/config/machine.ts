/** What the defaults depend on: facts about this machine and about the user who starts the node. */
import { availableParallelism, homedir, hostname } from 'node:os';

/** Facts that the defaults are derived from. */
export interface Machine {
  readonly hostname: string;
  readonly cpus: number;
  readonly isRoot: boolean;
  /** Home directory, for `~` in paths. */
  readonly home: string;
}

/** Reads the facts about this machine. */
export function readMachine(): Machine {
  return {
    hostname: hostname(),
    cpus: availableParallelism(),
    isRoot: process.getuid?.() === 0,
    home: homedir(),
  };
}
