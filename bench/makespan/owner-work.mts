/**
 * The owner's own work: `owner-work.mjs CPU_MS PERIOD_MS` does a piece of CPU_MS every PERIOD_MS, and later if the last
 * one took longer; what was missed is not made up for. A line on stdin is answered with the number of pieces so far.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const TRIAL_STEPS = 50_000_000;
const [cpuMs = 0, periodMs = 0] = process.argv.slice(2).map(Number);
let pieces = 0;
createInterface({ input: process.stdin })
  .on('line', () => console.log(String(pieces)))
  .once('close', () => process.exit(0));

/** Always the same work: processor time would hide that it became slower. */
const steps = Math.round((cpuMs * TRIAL_STEPS) / measureCpuMs(TRIAL_STEPS));
console.log('ready');
for (;;) {
  const begun = performance.now();
  spin(steps);
  pieces += 1;
  await sleep(Math.max(0, begun + periodMs - performance.now()));
}

function measureCpuMs(count: number): number {
  // The first time compiles it.
  spin(count);
  const before = process.cpuUsage();
  spin(count);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function spin(count: number): number {
  let state = 1;
  for (let step = 0; step < count; step += 1) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
  return state;
}
