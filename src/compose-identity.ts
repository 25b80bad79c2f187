/**
 * Before a node is put together: whose is this state directory, and may a node go on under that id now? It reads the journal and
 * what the broker keeps, lets the core decide, and writes the record. Nothing of the journal is taken up here.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { createProbeBus, meetTwin, waitAgain } from './compose-twin.js';
import type { Config } from './config/config.js';
import { deriveNodeId } from './config/defaults.js';
import { findPersonsOrigin, type LoadedConfig } from './config/load-config.js';
import { chooseIdentity, deduceId, isIdVital, type AskedIdentity, type KnownIdentity } from './core/node-identity.js';
import { findNews, type KnownByMesh } from './core/catch-up.js';
import { fitMachine, type MachineFit } from './core/machine-fit.js';
import type { Identity } from './identity/identity.js';
import type { NodeRecord } from './core/node-record.js';
import { readRecord, writeRecord } from './identity/record-file.js';
import type { Journal } from './journal/journal.js';
import { readPrint } from './machine-facts.js';
import { lookAround, type Sight } from './node/look-around.js';
import { restore, type Restored } from './node/restore.js';
import type { NodeSettings } from './pipelines/settings.js';
import type { Suspicion } from './pipelines/twin-watch.js';

/** What is asked for contradicts what the state directory knows. */
export class IdentityConflict extends Error {
  override readonly name = 'IdentityConflict';
}

/** A node of another key is online under the same id. */
export class IdTaken extends Error {
  override readonly name = 'IdTaken';
  readonly id: string;
  readonly host: string;
  constructor(id: string, host: string) {
    super(
      `id ${JSON.stringify(id)} is taken: a node with another key is online under it on ${host}; expected an id that is free, such as ${id}-2 (--id)`,
    );
    this.id = id;
    this.host = host;
  }
}

/** What the gate goes by. */
export interface GateParts {
  readonly loaded: Pick<LoadedConfig, 'config' | 'origins'>;
  readonly identity: Identity;
  readonly journal: Journal;
  /** Says a line to people at once. */
  tell(text: string): void;
  /** It ran until now, and stopped because it may have a twin. */
  readonly suspected?: Suspicion | undefined;
  /** The person does not want it to start any more. */
  readonly signal?: AbortSignal | undefined;
}

/** Under what the node goes on. */
export interface OpenedIdentity {
  readonly config: Config;
  /** Nobody chose the id: it was made from the host name. */
  readonly idFromHost: boolean;
  /** What this run is to one that may be its twin. */
  readonly twin: NonNullable<NodeSettings['twin']>;
  /** The mesh knows more of this node than its journal. */
  readonly known: KnownByMesh | undefined;
  /** What people should know, for the log. */
  readonly notes: readonly string[];
}

/** Finds out and writes down whose the state directory is. Rejects with IdentityConflict or IdTaken. */
export async function openIdentity(parts: GateParts): Promise<OpenedIdentity> {
  const { config } = parts.loaded;
  const restored = restore(await loadEntries(parts.journal), '', Date.now());
  const record = readRecord(config.state_dir);
  const asked = describeAsked(parts.loaded, record);
  const known = readKnown(restored, record) ?? (await findKnown(parts, asked, restored));
  const choice = chooseIdentity(asked, known, restored);
  if (!choice.ok) throw new IdentityConflict(choice.reason);
  const { id, base } = choice;
  const chosen = nameConfig(parts.loaded, id, base);
  const machine = await readPrint();
  const fit = fitMachine(record?.machine, machine);
  const mine = {
    instance: randomBytes(16).toString('hex'),
    host: machine.host,
    fit,
    boot: parts.suspected?.since ?? restored.boot,
  };
  const sight = await meetTwin({ ...parts, config: chosen, mine, recordedHost: record?.machine?.host ?? '' });
  refuseTaken(sight, id, parts.identity.publicKey);
  const idFromHost = known?.fromHost ?? (asked.idOrigin === undefined && id === deriveNodeId(hostname()));
  writeRecord(config.state_dir, {
    id,
    base,
    former: known?.former ?? [],
    fromHost: idFromHost,
    machine,
  });
  return {
    config: chosen,
    idFromHost,
    twin: {
      mine: { instance: mine.instance, host: mine.host, fit },
      since: parts.suspected?.since,
      trustsLink: parts.suspected !== undefined,
      met: parts.suspected?.met ?? [],
    },
    known: findNewsOf(sight, id, parts, restored),
    notes: [...choice.notes, ...describeFit(fit, record), ...describeNamesakes(sight, id, parts.identity)],
  };
}

/** Reads all entries of a journal; those that cannot be read are the node's to name. */
export function loadEntries(journal: Journal): Promise<Parameters<typeof restore>[0]> {
  return new Promise((resolve, reject) => {
    journal.load((error, entries) => (error === undefined ? resolve(entries) : reject(error)));
  });
}

/** What a person asks for; without that the host name asks. */
function describeAsked(loaded: GateParts['loaded'], record: NodeRecord | undefined): AskedIdentity {
  const { config } = loaded;
  const idOrigin = findPersonsOrigin(loaded, 'id');
  const isRecorded = idOrigin === undefined && config.id === record?.id;
  return {
    id: isRecorded ? deriveNodeId(hostname()) : config.id,
    idOrigin,
    base: config.base,
    baseOrigin: findPersonsOrigin(loaded, 'base'),
  };
}

/** The journal says whose it is; the record is a copy for people and for commands, and may be one rename behind. */
export function readKnown(
  { identity }: Pick<Restored, 'identity'>,
  record: NodeRecord | undefined,
): KnownIdentity | undefined {
  if (identity === undefined) return record;
  const former = [...new Set([...(record?.former ?? []), ...identity.former])].filter((one) => one !== identity.id);
  return { ...identity, former };
}

/** A journal of a version before says nothing of that: what it holds tells, or the broker. */
async function findKnown(
  parts: GateParts,
  asked: AskedIdentity,
  restored: Restored,
): Promise<KnownIdentity | undefined> {
  if (restored.items.length === 0 && restored.guests.length === 0 && restored.pins.size === 0) return undefined;
  let said = '';
  for (;;) {
    const sight = await lookAround(createProbeBus(parts.loaded.config), { ...asked, identity: parts.identity });
    const own = sight.births.filter((one) => one.key === parts.identity.publicKey);
    const id = deduceId(restored, own);
    if (id !== undefined) return { id, base: undefined, former: [], fromHost: asked.idOrigin === undefined };
    const mustWait = sight.unreached !== undefined && asked.idOrigin === undefined && isIdVital(restored);
    if (!mustWait) return undefined;
    const text =
      `the journal in ${parts.loaded.config.state_dir} holds work and does not say which id wrote it; the broker would know, ` +
      `and is waited for: ${sight.unreached}. Or name the id that this node had, with --id`;
    if (text !== said) parts.tell(text);
    said = text;
    await waitAgain(parts.signal);
  }
}

/** The configuration with the id and base in force; a user name that was made from the id follows it. */
export function nameConfig({ config, origins }: GateParts['loaded'], id: string, base: string): Config {
  const follows = (origins['username'] ?? '').startsWith('default');
  return { ...config, id, base, ...(follows ? { username: id } : {}) };
}

/** What the broker keeps that this journal has never said. */
function findNewsOf(
  sight: Sight,
  id: string,
  { identity, suspected }: GateParts,
  restored: Restored,
): KnownByMesh | undefined {
  const own = sight.births.find((one) => one.id === id && one.key === identity.publicKey);
  const found = { boot: own?.boot ?? 0, said: sight.said, statuses: sight.statuses };
  // What a running node has met counts, whatever the broker still keeps of it.
  if (suspected !== undefined && suspected.boot > 0) {
    return { boot: Math.max(found.boot, suspected.boot), statuses: sight.statuses };
  }
  return findNews(found, restored);
}

function describeFit(fit: MachineFit, record: NodeRecord | undefined): readonly string[] {
  if (fit === 'fits') return [];
  const host = record?.machine?.host ?? 'another machine';
  return [
    `this state directory was last used on ${host}, and this is ${fit === 'partly' ? 'not quite that' : 'another'} machine; no node answered from there, so it goes on here`,
  ];
}

function refuseTaken(sight: Sight, id: string, publicKey: string): void {
  const rival = sight.births.find((one) => one.id === id && one.key !== publicKey && one.online);
  if (rival !== undefined) throw new IdTaken(id, rival.host);
}

/** One key under two ids: a copy that was given another name, or a former name that is still on the bus. */
function describeNamesakes(sight: Sight, id: string, { publicKey }: Identity): readonly string[] {
  return sight.births.filter((one) => one.key === publicKey && one.id !== id).map((one) => describeNamesake(one, id));
}

function describeNamesake(one: Sight['births'][number], id: string): string {
  return one.online
    ? `node ${one.id} on ${one.host} is online with the key of this node: one of the two state directories is a copy; ` +
        `give one of them a key of its own with "tritmesh reset-identity"`
    : `the broker still keeps node ${one.id} with the key of this node, which is ${id} now`;
}
