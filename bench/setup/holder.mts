/**
 * A program to move: it holds the given number of MiB of incompressible memory and reports each time that it was
 * stopped for more than 30 ms: `paused <ms> until <ms since 1970>`. It uses the wall clock, since criu makes the
 * monotonic clock of a copy continue where that of the original stopped. It ends when the file named by its second
 * argument exists.
 */
import { randomFillSync } from 'node:crypto';
import { existsSync } from 'node:fs';

const MIB = 1024 * 1024;
const TICK_MS = 2;
const PAUSE_MS = 30;

const [, , size = '', gate = ''] = process.argv;
const memory = Array.from({ length: Number(size) }, () => randomFillSync(Buffer.allocUnsafeSlow(MIB)));
let last = Date.now();
console.log(`holds ${memory.length} MiB`);
const ticks = setInterval(tick, TICK_MS);

function tick(): void {
  const now = Date.now();
  if (now - last > PAUSE_MS) console.log(`paused ${now - last} until ${now}`);
  last = now;
  if (!existsSync(gate)) return;
  clearInterval(ticks);
  console.log(`held ${memory.length} MiB`);
}
