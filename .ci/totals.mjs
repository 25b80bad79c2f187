// Prints what vitest's JSON reports in a directory say, one line a report and the sum as the last line; fails when a test
// or a whole file failed, or when none ran. A report `NAME-again.json` stands for the files in it that `NAME.json` has, too: they
// failed, and were run once more alone.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readResults } from './results.mjs';

const [directory] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };

for (const file of readdirSync(directory).filter((name) => /(?<!-again)\.json$/.test(name))) {
  const name = file.replace(/\.json$/, '');
  const again = join(directory, `${name}-again.json`);
  const results = readResults(join(directory, file));
  const repeated = existsSync(again) ? readResults(again) : new Map();
  for (const [path, counts] of repeated) {
    console.log(`${name}: run again, since it failed beside others: ${path} (${describe(counts)})`);
    results.set(path, counts);
  }
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const counts of results.values()) add(sum, counts);
  add(total, sum);
  console.log(`${name}: ${describe(sum)}`);
}
console.log(describe(total));
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

function add(sum, counts) {
  for (const outcome of Object.keys(sum)) sum[outcome] += counts[outcome];
}

function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
