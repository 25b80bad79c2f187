// Reads a JSON report of vitest: how many tests of each file passed, failed and were skipped.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** Counts by the file's path in the repository. */
export function readResults(file) {
  const { testResults } = JSON.parse(readFileSync(file, 'utf8'));
  return new Map(testResults.map((one) => [relative('.', one.name), countTests(one)]));
}

function countTests({ status, assertionResults }) {
  const of = (...kinds) => assertionResults.filter((test) => kinds.includes(test.status)).length;
  // Pending is what was never run, because the process of the file died.
  const failed = of('failed', 'pending');
  // A file that could not even be loaded, or whose hooks failed, has no test to fail.
  const broken = status === 'failed' && failed === 0 ? 1 : 0;
  return { passed: of('passed'), failed: failed + broken, skipped: of('skipped', 'todo', 'disabled') };
}
