/**
 * A real load of a known size: burns the share of one core that its argument names, measured on its own cpu time, so that
 * it is the same on every machine. It counts its rounds in a file of its directory and carries on from there when it is
 * started again elsewhere. It must never outlive its directory.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpuUsage } from 'node:process';

const ROUND_MS = 50;
/** Cpu time that was not to be had is given up beyond this, so that no burst follows a pause. */
const OWED_MS_MAX = 50;
const FILE = 'rounds.txt';

const share = Number(process.argv[2]);
let rounds = readRounds();
let owedMs = 0;
let lastMs = performance.now();
let lastUsedMs = readUsed();
console.log(rounds === 0 ? `burns ${share} of a core` : `carries on at round ${rounds}`);
setInterval(burnRound, ROUND_MS);

function burnRound(): void {
  const nowMs = performance.now();
  const usedMs = readUsed();
  // All that it used counts: on a slow machine waking up and keeping the rounds cost something, too.
  owedMs = Math.min(OWED_MS_MAX, owedMs + share * (nowMs - lastMs) - (usedMs - lastUsedMs));
  [lastMs, lastUsedMs] = [nowMs, usedMs];
  while (readUsed() - usedMs < owedMs);
  rounds += 1;
  keepRounds();
}

/** Cpu time of this process so far. */
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

function keepRounds(): void {
  try {
    writeFileSync(FILE, String(rounds));
  } catch {
    process.exit(1);
  }
}
