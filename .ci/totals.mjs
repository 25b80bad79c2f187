// Prints what vitest's JSON reports in a directory say, one line a report and the sum as the last line; fails when a test
// or a whole file failed, or when none ran.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [directory] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };

for (const file of readdirSync(directory).filter((name) => name.endsWith('.json'))) {
  const counts = countTests(JSON.parse(readFileSync(join(directory, file), 'utf8')));
  for (const outcome of Object.keys(total)) total[outcome] += counts[outcome];
  console.log(`${file.replace(/\.json$/, '')}: ${describe(counts)}`);
}
console.log(describe(total));
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

function countTests(report) {
  // A file that could not even be loaded has no tests to fail.
  const broken = report.testResults.filter((one) => one.status === 'failed' && one.assertionResults.length === 0);
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
