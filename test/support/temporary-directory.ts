/**
 * Temporary directories for a test file; all are removed after each test.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

/** Returns a function that creates an empty directory and returns its real path. Call it at the top of a test file. */
export function temporaryDirectories(): () => string {
  const made: string[] = [];
  afterEach(() => {
    for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  });
  return () => {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-test-')));
    made.push(directory);
    return directory;
  };
}
