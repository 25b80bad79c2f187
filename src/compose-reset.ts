/**
 * Makes a copy of a node a node of its own: a new key, a new id, and nothing that could run twice. What was here (key, journal,
 * items, guests) is moved aside below the state directory, whole; nothing is removed.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { openJournal } from './compose-journal.js';
import { deriveNodeId } from './config/defaults.js';
import { findPersonsOrigin, JOINED_FILE, type LoadedConfig } from './config/load-config.js';
import { loadIdentity } from './identity/load-identity.js';
import { writeRecord } from './identity/record-file.js';
import { readPrint } from './machine-facts.js';

/** What became of it. */
export interface Reset {
  readonly from: string | undefined;
  readonly to: string;
  readonly key: string;
  /** Where what was here lies now; `undefined` when nothing was. */
  readonly aside: string | undefined;
}

/** It cannot be reset; the message says why. */
export class ResetRefused extends Error {
  override readonly name = 'ResetRefused';
}

/** What belongs to the old identity. */
const PARTS = ['identity', 'journal', 'journal-2', 'format', 'items', 'guests', 'spares', 'trash', 'transfer-port'];

/** Resets the state directory. Rejects with JournalHeld while its node runs, with ResetRefused for an id that cannot be taken. */
export async function resetState(loaded: LoadedConfig, wanted: string | undefined): Promise<Reset> {
  const { config, record } = loaded;
  const { state_dir: stateDir } = config;
  const origin = findPersonsOrigin(loaded, 'id');
  const to = chooseNew(loaded, wanted, origin);
  // Nobody must be at work in it, and nobody begin while it is moved.
  const journal = await openJournal(config);
  await new Promise<void>((resolve) => journal.close(resolve));
  const aside = moveAside(stateDir);
  forgetJoined(stateDir);
  const identity = loadIdentity(stateDir);
  writeRecord(stateDir, { id: to, base: config.base, former: [], fromHost: false, machine: await readPrint() });
  return { from: record?.id, to, key: identity.publicKey, aside };
}

/** The old id is the other machine's. */
function chooseNew({ config, record }: LoadedConfig, wanted: string | undefined, origin: string | undefined): string {
  const old = record?.id ?? config.id;
  if (wanted === old) {
    throw new ResetRefused(`${old} is the id of the node that this is a copy of: give this one another`);
  }
  if (wanted !== undefined) return wanted;
  if (origin !== undefined && config.id !== old) return config.id;
  const byHost = deriveNodeId(hostname());
  if (byHost !== old) return byHost;
  throw new ResetRefused(
    `the host name gives ${old} too, the id of the node that this is a copy of: say another, "tritmesh reset-identity NEW", and give this machine a host name of its own`,
  );
}

function moveAside(stateDir: string): string | undefined {
  const there = PARTS.filter((part) => existsSync(join(stateDir, part)));
  if (there.length === 0) return undefined;
  const aside = join(stateDir, `before-reset-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`);
  mkdirSync(aside, { mode: 0o700 });
  // The key goes last: as long as it is here, an interrupted reset can be done again.
  for (const part of there.toReversed()) renameSync(join(stateDir, part), join(aside, part));
  return aside;
}

/** What `join` remembered of the broker stays, whose it was does not. */
function forgetJoined(stateDir: string): void {
  const path = join(stateDir, JOINED_FILE);
  if (!existsSync(path)) return;
  const kept = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => !/^(id|username):/.test(line));
  writeFileSync(path, kept.join('\n'), { mode: 0o600 });
}
