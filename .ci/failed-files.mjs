// Prints the test files that are to be run again, one a line: those that failed in a report and those that should be in it
// and are not, because their process died. Fails when there are none, or so many that it is no accident.
//
//   node .ci/failed-files.mjs REPORT FILE …
import { readResults } from './results.mjs';

const FILES_MAX = 4;

const [report, ...expected] = process.argv.slice(2);
const results = readResults(report);
const failed = expected.filter((path) => (results.get(path)?.failed ?? 1) > 0);

if (failed.length === 0 || failed.length > FILES_MAX) {
  console.error(`${failed.length} test files failed: they are not run again`);
  process.exitCode = 1;
} else {
  console.log(failed.join('\n'));
}
