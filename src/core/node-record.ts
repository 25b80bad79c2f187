/**
 * The record in a state directory that tells which node it belongs to: its id, its base topic, the names it had before, and
 * the machine it last ran on. Here it is only read from text and written as text; a record that is not one is named, never guessed.
 */
import type { MachinePrint } from './machine-fit.js';
import { findBaseFault, NODE_ID_PATTERN } from '../protocol/topics.js';

/** Whose a state directory is. */
export interface NodeRecord {
  readonly id: string;
  readonly base: string;
  /** Ids that it had before it was renamed, oldest first. */
  readonly former: readonly string[];
  /** Nobody chose the id: it was made from the host name. */
  readonly fromHost: boolean;
  /** The machine of its last start. */
  readonly machine?: MachinePrint | undefined;
}

/** A record, or the sentence why the text is none. */
export type ReadRecord =
  | { readonly ok: true; readonly record: NodeRecord }
  | { readonly ok: false; readonly reason: string };

/** The record's file below a state directory, as path segments. */
export const RECORD_PATH: readonly [folder: string, file: string] = ['identity', 'node.json'];

/** A later format may mean something else by the same words. */
const FORMAT = 1;
const FORMER_MAX = 16;
const MACS_MAX = 32;

/** Reads a record. Never throws. */
export function parseRecord(text: string): ReadRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: 'must be JSON' };
  }
  if (!isObject(value)) return { ok: false, reason: 'must be a JSON object' };
  if (value['format'] !== FORMAT)
    return { ok: false, reason: `must have "format": ${FORMAT}; a newer tritmesh wrote it` };
  const { id, base } = value;
  if (!isId(id)) return { ok: false, reason: 'must have an "id" of 1 to 32 lower-case letters, digits and dashes' };
  if (typeof base !== 'string' || findBaseFault(base) !== undefined) {
    return { ok: false, reason: 'must have a "base" that is a base topic' };
  }
  const former = Array.isArray(value['former']) ? value['former'].filter(isId).slice(-FORMER_MAX) : [];
  const machine = readMachine(value['machine']);
  const fromHost = value['from_host'] === true;
  return { ok: true, record: { id, base, former, fromHost, ...(machine === undefined ? {} : { machine }) } };
}

/** Writes a record, a key a line: people read it. */
export function formatRecord({ id, base, former, fromHost, machine }: NodeRecord): string {
  const written = { format: FORMAT, id, base, from_host: fromHost, former: former.slice(-FORMER_MAX), machine };
  return `${JSON.stringify(written, undefined, 2)}\n`;
}

function readMachine(value: unknown): MachinePrint | undefined {
  if (!isObject(value)) return undefined;
  const { id, macs, host } = value;
  return {
    id: typeof id === 'string' && id !== '' ? id : undefined,
    macs: Array.isArray(macs) ? macs.filter((one) => typeof one === 'string').slice(0, MACS_MAX) : [],
    host: typeof host === 'string' ? host : '',
  };
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && NODE_ID_PATTERN.test(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
