/**
 * Before a node is set up: which node does this state directory belong to, and may it run under that id now? This reads
 * the journal and what the broker retains, lets the core decide, and writes the record. It does not restore the
 * journal.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { createProbeBus, checkTwin, waitForRetry } from './twin.js';
import type { Config } from '../config/config.js';
import { deriveNodeId } from '../config/defaults.js';
import { findUserOrigin, type LoadedConfig } from '../config/load-config.js';
import {
  chooseIdentity,
  deduceId,
  isIdVital,
  type AskedIdentity,
  type KnownIdentity,
} from '../core/identity/choose-identity.js';
import { findNews, type KnownByMesh } from '../core/identity/catch-up.js';
import { fitMachine, type MachineFit } from '../core/mesh/machine-fit.js';
import type { Identity } from '../identity/identity.js';
import type { NodeRecord } from '../core/identity/node-record.js';
import { readRecord, writeRecord } from '../identity/record-file.js';
import type { Journal } from '../journal/journal.js';
import { readPrint } from './machine-info.js';
import { probeBirths, type KnownBirths } from '../node/probe-births.js';
import { recoverJournal, type RecoveredJournal } from '../node/recover-journal.js';
import type { NodeSettings } from '../pipelines/settings.js';
import type { Suspicion } from '../pipelines/identity/twin-watch.js';

/** The requested id or base contradicts the state directory; the message says how. */
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
      `id ${JSON.stringify(id)} is taken: a node with another key is online under it on ${host}; expected a free id, such as ${id}-2 (--id)`,
    );
    this.id = id;
    this.host = host;
  }
}

/** What {@link openIdentity} depends on. */
export interface IdentityDeps {
  readonly loaded: Pick<LoadedConfig, 'config' | 'origins'>;
  readonly identity: Identity;
  readonly journal: Journal;
  /** Shows people a line at once. */
  tell(text: string): void;
  /** Set when the node was running until now, and stopped because it may have a twin. */
  readonly suspected?: Suspicion | undefined;
  /** Cancels a start that is waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** The identity under which the node runs. */
export interface OpenedIdentity {
  readonly config: Config;
  /** The id was derived from the host name: nobody chose it. */
  readonly idFromHost: boolean;
  /** How this boot of the node appears to a possible twin. */
  readonly twin: NonNullable<NodeSettings['twin']>;
  /** What the mesh knows about this node beyond its journal, if anything. */
  readonly known: KnownByMesh | undefined;
  /** Sentences for the log about the id. */
  readonly notes: readonly string[];
}

/**
 * Determines and records which node the state directory belongs to. Rejects with IdentityConflict, IdTaken or
 * TwinFound.
 */
export async function openIdentity(deps: IdentityDeps): Promise<OpenedIdentity> {
  const { config } = deps.loaded;
  const restored = recoverJournal(await loadEntries(deps.journal), '', Date.now());
  const record = readRecord(config.state_dir);
  const asked = describeAsked(deps.loaded, record);
  const known = readKnown(restored, record) ?? (await findKnown(deps, asked, restored));
  const choice = chooseIdentity(asked, known, restored);
  if (!choice.ok) throw new IdentityConflict(choice.reason);
  const { id, base } = choice;
  const chosen = nameConfig(deps.loaded, id, base);
  const machine = await readPrint();
  const fit = fitMachine(record?.machine, machine);
  const mine = {
    instance: randomBytes(16).toString('hex'),
    host: machine.host,
    fit,
    boot: deps.suspected?.since ?? restored.boot,
  };
  const seen = await checkTwin({ ...deps, config: chosen, mine, recordedHost: record?.machine?.host ?? '' });
  refuseTaken(seen, id, deps.identity.publicKey);
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
      since: deps.suspected?.since,
      ignoresEarlyLinkEnds: deps.suspected !== undefined,
      met: deps.suspected?.met ?? [],
    },
    known: findNewsOf(seen, id, deps, restored),
    notes: [...choice.notes, ...describeFit(fit, record), ...describeNamesakes(seen, id, deps.identity)],
  };
}

/** Reads all entries of a journal. Unreadable ones are skipped here; the node reports them later. */
export function loadEntries(journal: Journal): Promise<Parameters<typeof recoverJournal>[0]> {
  return new Promise((resolve, reject) => {
    journal.load((error, entries) => (error === undefined ? resolve(entries) : reject(error)));
  });
}

/** The id and base that a person asked for; otherwise the id that the host name yields. */
function describeAsked(loaded: IdentityDeps['loaded'], record: NodeRecord | undefined): AskedIdentity {
  const { config } = loaded;
  const idOrigin = findUserOrigin(loaded, 'id');
  const isRecorded = idOrigin === undefined && config.id === record?.id;
  return {
    id: isRecorded ? deriveNodeId(hostname()) : config.id,
    idOrigin,
    base: config.base,
    baseOrigin: findUserOrigin(loaded, 'base'),
  };
}

/** The journal knows the identity; the record is a copy for people and commands, and may be one rename behind. */
export function readKnown(
  { identity }: Pick<RecoveredJournal, 'identity'>,
  record: NodeRecord | undefined,
): KnownIdentity | undefined {
  if (identity === undefined) return record;
  const former = [...new Set([...(record?.former ?? []), ...identity.former])].filter((one) => one !== identity.id);
  return { ...identity, former };
}

/** The journal of an earlier version does not name its id: its contents may show it, or else the broker. */
async function findKnown(
  deps: IdentityDeps,
  asked: AskedIdentity,
  restored: RecoveredJournal,
): Promise<KnownIdentity | undefined> {
  if (restored.items.length === 0 && restored.guests.length === 0 && restored.pins.size === 0) return undefined;
  let lastText = '';
  for (;;) {
    const seen = await probeBirths(createProbeBus(deps.loaded.config), { ...asked, identity: deps.identity });
    const own = seen.births.filter((one) => one.key === deps.identity.publicKey);
    const id = deduceId(restored, own);
    if (id !== undefined) return { id, base: undefined, former: [], fromHost: asked.idOrigin === undefined };
    const mustWait = seen.unreached !== undefined && asked.idOrigin === undefined && isIdVital(restored);
    if (!mustWait) return undefined;
    const text =
      `the journal in ${deps.loaded.config.state_dir} contains work but not the id that wrote it; waiting for the ` +
      `broker, which would know it (${seen.unreached}). Or pass the id that this node had with --id`;
    if (text !== lastText) deps.tell(text);
    lastText = text;
    await waitForRetry(deps.signal);
  }
}

/** The configuration with the id and base in force; a user name that was derived from the id changes with it. */
export function nameConfig({ config, origins }: IdentityDeps['loaded'], id: string, base: string): Config {
  const follows = (origins['username'] ?? '').startsWith('default');
  return { ...config, id, base, ...(follows ? { username: id } : {}) };
}

/** What the broker retains from this node that its journal does not know. */
function findNewsOf(
  seen: KnownBirths,
  id: string,
  { identity, suspected }: IdentityDeps,
  restored: RecoveredJournal,
): KnownByMesh | undefined {
  const own = seen.births.find((one) => one.id === id && one.key === identity.publicKey);
  const found = { boot: own?.boot ?? 0, said: seen.said, statuses: seen.statuses };
  // What a running node has seen counts, whatever the broker still retains.
  if (suspected !== undefined && suspected.boot > 0) {
    return { boot: Math.max(found.boot, suspected.boot), statuses: seen.statuses };
  }
  return findNews(found, restored);
}

function describeFit(fit: MachineFit, record: NodeRecord | undefined): readonly string[] {
  if (fit === 'fits') return [];
  const host = record?.machine?.host ?? 'another machine';
  return [
    `this state directory was last used on ${host}, and this is ${fit === 'partly' ? 'not quite the same' : 'another'} machine; no node answered from there, so it continues here`,
  ];
}

function refuseTaken(seen: KnownBirths, id: string, publicKey: string): void {
  const rival = seen.births.find((one) => one.id === id && one.key !== publicKey && one.online);
  if (rival !== undefined) throw new IdTaken(id, rival.host);
}

/** One key under two ids: a copy with another name, or a former name that is still on the bus. */
function describeNamesakes(seen: KnownBirths, id: string, { publicKey }: Identity): readonly string[] {
  return seen.births.filter((one) => one.key === publicKey && one.id !== id).map((one) => describeNamesake(one, id));
}

function describeNamesake(one: KnownBirths['births'][number], id: string): string {
  return one.online
    ? `node ${one.id} on ${one.host} is online with the key of this node: one of the two state directories is a copy; ` +
        `give one of them a new key with "tritmesh reset-identity"`
    : `the broker still has node ${one.id} with the key of this node, which is now ${id}`;
}
