/**
 * Gives a stopped node another id: only when it has no work that others know by the old id, and only if the broker
 * accepts the new one and no other node uses it. What the old id left on the broker is cleared first, then the journal
 * and the record are changed; after a crash in between the node comes back consistently under one of the two.
 */
import { existsSync } from 'node:fs';
import { firstValueFrom, skip } from 'rxjs';
import type { Bus } from '../bus/bus.js';
import { localSocketPath } from '../bus/local/local-place.js';
import { IdTaken, loadEntries, nameConfig, readKnown, type IdentityDeps } from './identity.js';
import { findRunningNode, openJournal } from './journal.js';
import { createProbeBus } from './twin.js';
import { countOpen, type KnownIdentity } from '../core/identity/choose-identity.js';
import { isSettled } from '../core/owner/owned-item.js';
import { loadIdentity } from '../identity/load-identity.js';
import { readRecord, writeRecord } from '../identity/record-file.js';
import { readPrint } from './machine-info.js';
import { collect, replayed } from '../node/probe-births.js';
import { IDENTITY_KEY, recoverJournal, type RecoveredJournal } from '../node/recover-journal.js';
import { pinKey } from '../pipelines/mesh/key-pins.js';
import { formatTopic } from '../protocol/topics.js';

/** The node cannot be renamed now; the message says why. */
export class RenameRefused extends Error {
  override readonly name = 'RenameRefused';
}

/** The outcome of a rename. */
export interface Renamed {
  readonly from: string;
  readonly to: string;
  /** Number of topics cleared at the broker. */
  readonly cleared: number;
}

/**
 * Renames the node of a state directory to `to`. Rejects with JournalHeld while it runs, with IdTaken or RenameRefused.
 */
export async function renameState(loaded: IdentityDeps['loaded'], to: string): Promise<Renamed> {
  const { config } = loaded;
  const journal = await openJournal(config);
  try {
    const restored = recoverJournal(await loadEntries(journal), '', Date.now());
    const known = readKnown(restored, readRecord(config.state_dir));
    refuseUnready(known, restored, to, config.state_dir);
    const base = known.base ?? config.base;
    const before = nameConfig(loaded, known.id, base);
    const after = nameConfig(loaded, to, base);
    if (after.username !== before.username) await checkUser(createProbeBus(after), to);
    const cleared = await clearTraces(createProbeBus(before), known.id, base, to, config.state_dir);
    const former = [...known.former.filter((one) => one !== to), known.id];
    const identity = { id: to, base, former, fromHost: false };
    await new Promise<void>((resolve, reject) => {
      const changes = [
        { key: IDENTITY_KEY, value: identity },
        { key: pinKey(to), value: undefined },
      ];
      journal.write(changes, (error) => (error === undefined ? resolve() : reject(error)));
    });
    writeRecord(config.state_dir, { ...identity, machine: await readPrint() });
    return { from: known.id, to, cleared };
  } finally {
    await new Promise<void>((resolve) => journal.close(resolve));
  }
}

/**
 * Whether a node runs from this state directory under this id and accepts commands, as far as known without a broker.
 */
export async function runsAs(stateDir: string, id: string): Promise<boolean> {
  if (readRecord(stateDir)?.id !== id || !existsSync(localSocketPath(stateDir))) return false;
  return (await findRunningNode({ state_dir: stateDir })) !== undefined;
}

function refuseUnready(
  known: KnownIdentity | undefined,
  work: Pick<RecoveredJournal, 'items' | 'guests'>,
  to: string,
  stateDir: string,
): asserts known is KnownIdentity {
  if (known === undefined) {
    throw new RenameRefused(`no node has run from ${stateDir} yet: start it with "tritmesh node --id ${to}"`);
  }
  if (known.id === to) throw new RenameRefused(`${to} is its id already`);
  if (countOpen(work) === 0) return;
  const open = [
    ...work.items.filter((one) => !isSettled(one.phase)).map((one) => `${one.spec.id} (${one.phase})`),
    ...work.guests.filter((one) => one.owner !== known.id).map((one) => `${one.owner}/${one.item} (${one.phase})`),
  ];
  const list = open.slice(0, SHOWN_MAX).join(', ');
  const more = open.length > SHOWN_MAX ? ` and ${open.length - SHOWN_MAX} more` : '';
  throw new RenameRefused(
    `${known.id} has work that others know by this id: ${list}${more}; start it and rename it while it is running: it then waits until that work is finished`,
  );
}

const SHOWN_MAX = 8;

/**
 * Checks that the broker accepts a user with the new name, which its access list depends on. Rejects with
 * RenameRefused.
 */
export async function checkUser(bus: Bus, to: string): Promise<void> {
  const first = firstValueFrom(bus.link$.pipe(skip(1)));
  bus.connect();
  const link = await first;
  await new Promise<void>((resolve) => bus.close(resolve));
  if (link.state === 'online') return;
  throw new RenameRefused(
    `the broker does not accept user ${to} with this password (${link.reason}): add the user first, with "tritmesh broker passwd ${to}" or mosquitto_passwd`,
  );
}

/** Clears everything that the old id has retained at the broker, as that id, and returns the number of topics. */
async function clearTraces(bus: Bus, id: string, base: string, to: string, stateDir: string): Promise<number> {
  const identity = loadIdentity(stateDir);
  try {
    const seen = collect(bus, { base, id, identity });
    const unreached = await replayed(bus);
    if (unreached !== undefined) {
      throw new RenameRefused(
        `the broker cannot be reached to check that ${to} is free and to remove ${id}: ${unreached}; try again when it is available`,
      );
    }
    const { births, statusTopics } = seen();
    const rival = births.find((one) => one.id === to && one.key !== identity.publicKey && one.online);
    if (rival !== undefined) throw new IdTaken(to, rival.host);
    const twin = births.find((one) => one.id === id && one.online);
    if (twin !== undefined && (await isStillOnline(bus, base, id))) {
      throw new RenameRefused(
        `${id} is online on ${twin.host} although no node runs from ${stateDir}: one of the two may be a copy of the other`,
      );
    }
    const kinds = ['state', 'scum', 'info', 'trit', 'availability'] as const;
    const topics = [...statusTopics, ...kinds.map((kind) => formatTopic(base, { kind, node: id }))];
    await Promise.all(topics.map((topic) => clear(bus, topic)));
    return topics.length;
  } finally {
    await new Promise<void>((resolve) => bus.close(resolve));
  }
}

/** Waits to see whether a node is really online: the broker shows a killed one as online until its keepalive ends. */
async function isStillOnline(bus: Bus, base: string, id: string): Promise<boolean> {
  const topic = formatTopic(base, { kind: 'availability', node: id });
  return new Promise((resolve) => {
    const heard = bus.messages$.subscribe((message) => {
      if (message.topic === topic && Buffer.from(message.payload).toString() !== 'online') end(false);
    });
    const timer = setTimeout(() => end(true), KEEPALIVE_MS);
    function end(answer: boolean): void {
      clearTimeout(timer);
      heard.unsubscribe();
      resolve(answer);
    }
  });
}

/** Nodes ping the broker every 15 s, and a broker drops a silent one after one and a half times that; plus a margin. */
const KEEPALIVE_MS = 25_000;

function clear(bus: Bus, topic: string): Promise<void> {
  return new Promise((resolve, reject) => {
    bus.publish({ topic, payload: '', qos: 1, retain: true }, (error) =>
      error === undefined ? resolve() : reject(error),
    );
  });
}
