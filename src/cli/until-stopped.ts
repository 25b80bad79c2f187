/** Waits for the signal that stops a program: Ctrl-C or SIGTERM. A second signal ends it at once. */

/** Resolves at SIGINT or SIGTERM. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    // Removed at the first signal: the next one has its default action again and ends the process.
    const stop = (): void => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}
