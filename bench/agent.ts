/**
 * `agent`: the processor time and memory of an idle node on its default settings, compared with an idle Node.js process
 * in the same window. Read from /proc, children included.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcStat, TICKS_PER_S } from '../src/os/proc-stat.js';
import { startBroker } from './setup/brokers.js';
import { startProgram, TRITMESH } from './setup/program.js';
import type { Scratch } from './setup/scratch.js';
import { round, type Figure } from './measure/figure.js';

/** The start of a node is not measured: after this time it has published all that it publishes at a start, ms. */
const SETTLE_MS = 10_000;
const WINDOW_MS = 60_000;

/** Runs the benchmark; yields one figure. */
export async function* measureAgent(scratch: Scratch): AsyncGenerator<Figure> {
  if (!existsSync('/proc/self/stat')) return console.error('skipped: agent needs /proc, which only Linux has');
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

/** Processor time that a process and its ended children have used so far, s. */
function readCpuS(pid: number): number {
  const stat = readProcStat(pid);
  if (stat === undefined) throw new Error(`process ${pid} has ended`);
  return (stat.ownTicks + stat.childTicks) / TICKS_PER_S;
}

/** Resident memory as `ps` and `top` count it, including shared pages of the Node.js binary, MiB. */
function readRssMib(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kib) / 1024;
}
