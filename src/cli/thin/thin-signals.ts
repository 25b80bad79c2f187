/** Signals that arrive while nobody can act on them yet. */
import { EXIT } from '../failure.js';

/** Keeps the signals of a command that waits. */
export interface ThinSignals {
  /** Listens from now on, and calls back at the first signal. */
  keep(first: () => void): void;
  /** Stops listening, and forgets the signals. */
  drop(): void;
  /** Stops listening, and raises the kept signals again for those who listen by now. */
  raise(): void;
}

const NAMES = ['SIGINT', 'SIGTERM'] as const;
/** The first asks to cancel, the second to stop waiting; whoever sends another one wants the program to end now. */
const KEPT_MAX = 2;

/** Creates it; `leave` prints what is left behind. */
export function createThinSignals(leave: () => void): ThinSignals {
  const kept: (typeof NAMES)[number][] = [];
  let started: (() => void) | undefined;

  function take(signal: NodeJS.Signals): void {
    if (kept.length >= KEPT_MAX) {
      leave();
      process.exit(EXIT.cancelled);
    }
    kept.push(signal === 'SIGTERM' ? 'SIGTERM' : 'SIGINT');
    if (kept.length === 1) started?.();
  }

  function drop(): void {
    for (const name of NAMES) process.off(name, take);
  }

  return {
    keep(first) {
      started = first;
      for (const name of NAMES) process.on(name, take);
    },
    drop,
    raise() {
      drop();
      for (const signal of kept.splice(0)) process.emit(signal, signal);
    },
  };
}
