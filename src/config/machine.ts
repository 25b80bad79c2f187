/** What the defaults depend on: the facts of this machine and of the person who starts the node. */
import { availableParallelism, homedir, hostname } from 'node:os';

/** Facts that defaults are made from. */
export interface Machine {
  readonly hostname: string;
  readonly cpus: number;
  readonly isRoot: boolean;
  /** Home directory; `~` in paths. */
  readonly home: string;
}

/** Reads the facts of this machine. */
export function readMachine(): Machine {
  return {
    hostname: hostname(),
    cpus: availableParallelism(),
    isRoot: process.getuid?.() === 0,
    home: homedir(),
  };
}
