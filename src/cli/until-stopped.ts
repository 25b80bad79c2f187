/** Waits for the signal that asks a program to stop: Ctrl-C or SIGTERM. A second one ends it at once. */

/** Resolves at SIGINT or SIGTERM. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    // Taken off at the first: the next signal has its default action again and ends the process.
    const stop = (): void => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}
