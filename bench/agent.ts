/**
 * `agent`: what a node costs that does nothing, on its default settings, beside an idle Node.js process, in one window. Read
 * from /proc, children included.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBroker } from './ground/brokers.js';
import { startProgram, TRITMESH } from './ground/program.js';
import type { Scratch } from './ground/scratch.js';
import { round, type Figure } from './measure/figure.js';

/** A node's start is not what it costs; after this it has said all it says at a start. */
const SETTLE_MS = 10_000;
const WINDOW_MS = 60_000;

/** Measures it. */
export async function* measureAgent(scratch: Scratch): AsyncGenerator<Figure> {
  if (!existsSync('/proc/self/stat')) return console.error('skipped: agent reads /proc, which only Linux has');
  const { url } = await startBroker(scratch, 'aedes');
  const flags = ['--broker', url, '--id', 'agent', '--state-dir', join(scratch.directory, 'agent')];
  const node = await startProgram(scratch, [process.execPath, TRITMESH, 'node', ...flags], /connected to the broker/);
  const idle = await startProgram(
    scratch,
    [process.execPath, '-e', 'console.log("idle"); setInterval(() => {}, 1000)'],
    /idle/,
  );
  await sleep(SETTLE_MS);
  const [nodeBegun, idleBegun] = [readCpuS(node.pid), readCpuS(idle.pid)];
  await sleep(WINDOW_MS);
  const perMinute = 60_000 / WINDOW_MS;
  yield {
    bench: 'agent',
    window_s: WINDOW_MS / 1000,
    cpu_s_per_min: round((readCpuS(node.pid) - nodeBegun) * perMinute),
    floor_cpu_s_per_min: round((readCpuS(idle.pid) - idleBegun) * perMinute),
    aim_cpu_s_per_min: 0.5,
    rss_mib: round(readRssMib(node.pid)),
    floor_rss_mib: round(readRssMib(idle.pid)),
    aim_rss_mib: 80,
  };
}

/** Seconds of cpu that a process and its ended children used so far. */
function readCpuS(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name may hold anything; fields are counted from behind it. utime, stime, cutime, cstime: 14 to 17 of proc(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'latin1' }));
}

/** Resident memory, shared pages of the node binary included, as `ps` and `top` count it. */
function readRssMib(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kib) / 1024;
}
