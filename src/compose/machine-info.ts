/**
 * What a node publishes about its machine in its birth message: facts that do not change while it runs.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { hostname, totalmem } from 'node:os';
import type { MachinePrint } from '../core/mesh/machine-fit.js';
import type { Info } from '../protocol/messages.js';

/** Reads the facts about this machine; `abilities` is empty and filled in by the caller. */
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

/** Reads what distinguishes this machine from a copy of it. */
export async function readPrint(): Promise<MachinePrint> {
  return { id: await readMachineId(), macs: await readCards(), host: hostname().slice(0, 255) };
}

/** The machine id, hashed as systemd requires: the id itself must not leave the machine. */
async function readMachineId(): Promise<string | undefined> {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    const text = (await readFile(path, 'utf8').catch(() => '')).trim();
    if (/^[0-9a-f]{32}$/.test(text)) return createHash('sha256').update(`tritmesh ${text}`).digest('hex').slice(0, 32);
  }
  return undefined;
}

const CARDS = '/sys/class/net';

/**
 * Permanent MAC addresses of physical network cards: not of bridges, containers or tunnels, and none that is random.
 */
async function readCards(): Promise<readonly string[]> {
  const names = await readdir(CARDS).catch(() => []);
  const macs = await Promise.all(names.map(readCard));
  return [...new Set(macs.filter((one) => one !== undefined))].toSorted();
}

async function readCard(name: string): Promise<string | undefined> {
  const read = async (file: string): Promise<string> =>
    (await readFile(`${CARDS}/${name}/${file}`, 'utf8').catch(() => '')).trim();
  const isReal = await readdir(`${CARDS}/${name}/device`).then(
    () => true,
    () => false,
  );
  if (!isReal || (await read('addr_assign_type')) !== '0') return undefined;
  const mac = await read('address');
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) && mac !== '00:00:00:00:00:00' ? mac : undefined;
}

/** The version of this package. The compiled file and its source are at different depths below package.json. */
export async function readVersion(): Promise<string> {
  for (const up of ['../..', '../../..']) {
    const text = await readFile(new URL(`${up}/package.json`, import.meta.url), 'utf8').catch(() => undefined);
    const parsed = text === undefined ? undefined : (JSON.parse(text) as { name?: unknown; version?: unknown });
    if (parsed?.name === 'tritmesh' && typeof parsed.version === 'string') return parsed.version;
  }
  return 'unknown';
}
