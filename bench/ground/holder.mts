/**
 * A program to be moved: it holds so many MiB of memory that nothing can compress, and says how long it stood still whenever that was
 * more than a moment: `paused <ms> until <ms since 1970>`. By the wall clock, since criu has the monotonic one of a copy go on where
 * that of its original stopped. It ends when the file exists that its second argument names.
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
