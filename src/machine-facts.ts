/**
 * What a node tells of its machine in its birth message: facts that do not change while it runs.
 */
import { readFile } from 'node:fs/promises';
import { hostname, totalmem } from 'node:os';
import type { Info } from './protocol/messages.js';

/** Reads them. */
export async function describeMachine(): Promise<Omit<Info, 'key' | 'cpus' | 'labels' | 'transports'>> {
  return {
    host: hostname().slice(0, 255),
    os: process.platform,
    arch: process.arch,
    memory_bytes: totalmem(),
    version: await readVersion(),
    abilities: [],
  };
}

/** Names the present run of the machine. Where the kernel does not, nothing tells one run from the next. */
export async function readMachineRun(): Promise<string> {
  const text = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown');
  return text.trim();
}

/** The version of this package. Compiled, this file is two folders below package.json, as a source one. */
export async function readVersion(): Promise<string> {
  for (const up of ['..', '../..']) {
    const text = await readFile(new URL(`${up}/package.json`, import.meta.url), 'utf8').catch(() => undefined);
    const parsed = text === undefined ? undefined : (JSON.parse(text) as { name?: unknown; version?: unknown });
    if (parsed?.name === 'tritmesh' && typeof parsed.version === 'string') return parsed.version;
  }
  return 'unknown';
}
