/**
 * Temporary directories of one test file; all are removed after each test.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

/** Gives a function that makes an empty directory, real path, removed after the test. Call it at the top of a file. */
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
