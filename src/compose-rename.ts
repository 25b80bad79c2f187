/**
 * Gives a node that does not run another id: with nothing left that others know by the old one, and only where the broker lets the
 * new one in and nobody else goes by it. What the old id left on the broker is taken off first, then the journal and the record
 * are changed; a node that dies in between comes back under one of the two, whole.
 */
import { existsSync } from 'node:fs';
import { firstValueFrom, skip } from 'rxjs';
import type { Bus } from './bus/bus.js';
import { localSocketPath } from './bus/local-place.js';
import { IdTaken, loadEntries, nameConfig, readKnown, type GateParts } from './compose-identity.js';
import { findRunningNode, openJournal } from './compose-journal.js';
import { createProbeBus } from './compose-twin.js';
import { countOpen, type KnownIdentity } from './core/node-identity.js';
import { isSettled } from './core/owner/owned-item.js';
import { loadIdentity } from './identity/load-identity.js';
import { readRecord, writeRecord } from './identity/record-file.js';
import { readPrint } from './machine-facts.js';
import { collect, replayed } from './node/look-around.js';
import { IDENTITY_KEY, restore, type Restored } from './node/restore.js';
import { pinKey } from './pipelines/key-pins.js';
import { formatTopic } from './protocol/topics.js';

/** The node cannot be renamed now; the message says why. */
export class RenameRefused extends Error {
  override readonly name = 'RenameRefused';
}

/** What became of it. */
export interface Renamed {
  readonly from: string;
  readonly to: string;
  /** Topics that were taken off the broker. */
  readonly cleared: number;
}

/** Renames the node of a state directory to `to`. Rejects with JournalHeld while it runs, with IdTaken or RenameRefused. */
export async function renameState(loaded: GateParts['loaded'], to: string): Promise<Renamed> {
  const { config } = loaded;
  const journal = await openJournal(config);
  try {
    const restored = restore(await loadEntries(journal), '', Date.now());
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

/** Whether a node runs from this state directory under this id, and takes commands: what is known without a broker. */
export async function runsAs(stateDir: string, id: string): Promise<boolean> {
  if (readRecord(stateDir)?.id !== id || !existsSync(localSocketPath(stateDir))) return false;
  return (await findRunningNode({ state_dir: stateDir })) !== undefined;
}

function refuseUnready(
  known: KnownIdentity | undefined,
  work: Pick<Restored, 'items' | 'guests'>,
  to: string,
  stateDir: string,
): asserts known is KnownIdentity {
  if (known === undefined) {
    throw new RenameRefused(`no node has run from ${stateDir} yet: start it with "tritmesh node --id ${to}"`);
  }
  if (known.id === to) throw new RenameRefused(`${to} is its id already`);
  if (countOpen(work) === 0) return;
  const open = [
    ...work.items.filter((one) => !isSettled(one.phase)).map((one) => `${one.item.item} (${one.phase})`),
    ...work.guests.filter((one) => one.owner !== known.id).map((one) => `${one.owner}/${one.item} (${one.phase})`),
  ];
  const list = open.slice(0, SHOWN_MAX).join(', ');
  const more = open.length > SHOWN_MAX ? ` and ${open.length - SHOWN_MAX} more` : '';
  throw new RenameRefused(
    `${known.id} has work that others know by this id: ${list}${more}; start it, and rename it while it runs: it waits until that is over`,
  );
}

const SHOWN_MAX = 8;

/** Whether the broker lets a user of the new name in: its rules go by the user's name. */
export async function checkUser(bus: Bus, to: string): Promise<void> {
  const first = firstValueFrom(bus.link$.pipe(skip(1)));
  bus.connect();
  const link = await first;
  await new Promise<void>((resolve) => bus.close(resolve));
  if (link.state === 'online') return;
  throw new RenameRefused(
    `user ${to} does not get in at the broker with this password (${link.reason}): it must be there first, by "tritmesh broker passwd ${to}" or mosquitto_passwd`,
  );
}

/** Takes everything retained of the old id off the broker, as itself. */
async function clearTraces(bus: Bus, id: string, base: string, to: string, stateDir: string): Promise<number> {
  const identity = loadIdentity(stateDir);
  try {
    const seen = collect(bus, { base, id, identity });
    const unreached = await replayed(bus);
    if (unreached !== undefined) {
      throw new RenameRefused(
        `the broker cannot be asked whether ${to} is free, nor told that ${id} is gone: ${unreached}; try again when it is there`,
      );
    }
    const { births, statusTopics } = seen();
    const rival = births.find((one) => one.id === to && one.key !== identity.publicKey && one.online);
    if (rival !== undefined) throw new IdTaken(to, rival.host);
    const twin = births.find((one) => one.id === id && one.online);
    if (twin !== undefined && (await isStillOnline(bus, base, id))) {
      throw new RenameRefused(
        `${id} is online on ${twin.host} although nothing runs from ${stateDir}: is one a copy of the other?`,
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

/** A node that was killed is online to the broker until its keepalive is over. */
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

/** A node says that it is there each 15 s; a broker gives a silent one up after one and a half of that. */
const KEEPALIVE_MS = 25_000;

function clear(bus: Bus, topic: string): Promise<void> {
  return new Promise((resolve, reject) => {
    bus.publish({ topic, payload: '', qos: 1, retain: true }, (error) =>
      error === undefined ? resolve() : reject(error),
    );
  });
}
