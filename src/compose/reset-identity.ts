/**
 * Turns the copy of a node into a separate node: a new key, a new id, and no work that could run twice. What was here
 * (key, journal, items, guests) is moved aside, whole, below the state directory; nothing is deleted.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { openJournal } from './journal.js';
import { deriveNodeId } from '../config/defaults.js';
import { findUserOrigin, JOINED_FILE, type LoadedConfig } from '../config/load-config.js';
import { loadIdentity } from '../identity/load-identity.js';
import { writeRecord } from '../identity/record-file.js';
import { readPrint } from './machine-info.js';

/** The outcome of a reset. */
export interface Reset {
  readonly from: string | undefined;
  readonly to: string;
  readonly key: string;
  /** Directory that the old contents were moved to; `undefined` when there were none. */
  readonly aside: string | undefined;
}

/** The identity cannot be reset; the message says why. */
export class ResetRefused extends Error {
  override readonly name = 'ResetRefused';
}

/** The files and directories that belong to the old identity. */
const PARTS = [
  'identity',
  'journal',
  'journal-2',
  'format',
  'items',
  'guests',
  'spares',
  'supervisors',
  'trash',
  'transfer-port',
];

/**
 * Resets the state directory. Rejects with JournalHeld while its node runs, with ResetRefused for an id that cannot be
 * taken.
 */
export async function resetState(loaded: LoadedConfig, wanted: string | undefined): Promise<Reset> {
  const { config, record } = loaded;
  const { state_dir: stateDir } = config;
  const origin = findUserOrigin(loaded, 'id');
  const to = chooseNew(loaded, wanted, origin);
  // No node may be running here, and none may start while this is moved.
  const journal = await openJournal(config);
  await new Promise<void>((resolve) => journal.close(resolve));
  const aside = moveAside(stateDir);
  forgetJoined(stateDir);
  const identity = loadIdentity(stateDir);
  writeRecord(stateDir, { id: to, base: config.base, former: [], fromHost: false, machine: await readPrint() });
  return { from: record?.id, to, key: identity.publicKey, aside };
}

/** Chooses an id other than the old one, which belongs to the other machine. */
function chooseNew({ config, record }: LoadedConfig, wanted: string | undefined, origin: string | undefined): string {
  const old = record?.id ?? config.id;
  if (wanted === old) {
    throw new ResetRefused(`${old} is the id of the node that this one is a copy of: choose another id`);
  }
  if (wanted !== undefined) return wanted;
  if (origin !== undefined && config.id !== old) return config.id;
  const byHost = deriveNodeId(hostname());
  if (byHost !== old) return byHost;
  throw new ResetRefused(
    `the host name yields ${old} too, the id of the node that this one is a copy of: choose another with "tritmesh reset-identity NEW", and give this machine a different host name`,
  );
}

function moveAside(stateDir: string): string | undefined {
  const there = PARTS.filter((part) => existsSync(join(stateDir, part)));
  if (there.length === 0) return undefined;
  const aside = join(stateDir, `before-reset-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`);
  mkdirSync(aside, { mode: 0o700 });
  // The key is moved last: as long as it is here, an interrupted reset can be repeated.
  for (const part of there.toReversed()) renameSync(join(stateDir, part), join(aside, part));
  return aside;
}

/** Keeps what `join` remembered about the broker, and drops the id and the user name. */
function forgetJoined(stateDir: string): void {
  const path = join(stateDir, JOINED_FILE);
  if (!existsSync(path)) return;
  const kept = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => !/^(id|username):/.test(line));
  writeFileSync(path, kept.join('\n'), { mode: 0o600 });
}
