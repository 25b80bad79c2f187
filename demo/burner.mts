/**
 * A real load of a known size: burns the share of one core that its argument names, measured by its own processor time,
 * so it is the same on every machine. It counts its rounds in a file in its directory, and continues from there when it
 * is started again elsewhere. It must never outlive its directory.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpuUsage } from 'node:process';

const ROUND_MS = 50;
/** Most processor time that it catches up on, ms: otherwise a burst would follow every pause. */
const OWED_MS_MAX = 50;
const FILE = 'rounds.txt';

const share = Number(process.argv[2]);
let rounds = readRounds();
let owedMs = 0;
let lastMs = performance.now();
let lastUsedMs = readUsed();
console.log(rounds === 0 ? `burning ${share} of a core` : `continuing at round ${rounds}`);
setInterval(burnRound, ROUND_MS);

function burnRound(): void {
  const nowMs = performance.now();
  const usedMs = readUsed();
  // All processor time counts: on a slow machine waking up and saving the rounds cost something, too.
  owedMs = Math.min(OWED_MS_MAX, owedMs + share * (nowMs - lastMs) - (usedMs - lastUsedMs));
  [lastMs, lastUsedMs] = [nowMs, usedMs];
  while (readUsed() - usedMs < owedMs);
  rounds += 1;
  saveRounds();
}

/** Processor time of this process so far, ms. */
function readUsed(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

function readRounds(): number {
  try {
    return Number(readFileSync(FILE, 'utf8'));
  } catch {
    return 0;
  }
}

function saveRounds(): void {
  try {
    writeFileSync(FILE, String(rounds));
  } catch {
    process.exit(1);
  }
}
