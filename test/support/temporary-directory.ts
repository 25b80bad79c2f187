/**
 * Temporary directories for a test file; all are removed after each test.
 */
import { mkdtempSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

/** Returns a function that creates an empty directory and returns its real path. Call it at the top of a test file. */
export function temporaryDirectories(): () => string {
  const made: string[] = [];
  afterEach(async () => {
    // Asynchronously and repeatedly: what the code under test removes or moves aside in the background still goes on.
    for (const directory of made.splice(0)) await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  });
  return () => {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-test-')));
    made.push(directory);
    return directory;
  };
}
