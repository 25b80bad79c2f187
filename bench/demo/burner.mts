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
let last = performance.now();
console.log(rounds === 0 ? `burns ${share} of a core` : `carries on at round ${rounds}`);
setInterval(burnRound, ROUND_MS);

function burnRound(): void {
  const now = performance.now();
  owedMs = Math.min(OWED_MS_MAX, owedMs + share * (now - last));
  last = now;
  owedMs -= burn(owedMs);
  rounds += 1;
  keepRounds();
}

/** Uses up cpu time; gives how much it was. */
function burn(ms: number): number {
  const before = cpuUsage();
  let usedMs = 0;
  while (usedMs < ms) {
    const used = cpuUsage(before);
    usedMs = (used.user + used.system) / 1000;
  }
  return usedMs;
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
