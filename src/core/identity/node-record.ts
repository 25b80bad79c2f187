/**
 * The record in a state directory of the node that it belongs to: id, base topic, former ids, and the machine that it
 * last ran on. This file only parses and formats its text; an invalid record is reported, never guessed.
 */
import type { MachinePrint } from '../mesh/machine-fit.js';
import { findBaseFault, NODE_ID_PATTERN } from '../../protocol/topics.js';

/** The node that a state directory belongs to. */
export interface NodeRecord {
  readonly id: string;
  readonly base: string;
  /** Its ids before it was renamed, oldest first. */
  readonly former: readonly string[];
  /** The id was derived from the host name. */
  readonly fromHost: boolean;
  /** The machine that it was last started on. */
  readonly machine?: MachinePrint | undefined;
}

/** A record, or a sentence that says why the text is not one. */
export type ReadRecord =
  | { readonly ok: true; readonly record: NodeRecord }
  | { readonly ok: false; readonly reason: string };

/** Path of the record below the state directory, as segments. */
export const RECORD_PATH: readonly [folder: string, file: string] = ['identity', 'node.json'];

/** Version of the format. A record with another one is rejected: the same fields may mean something else there. */
const FORMAT = 1;
const FORMER_MAX = 16;
const MACS_MAX = 32;

/** Parses a record. Never throws. */
export function parseNodeRecord(text: string): ReadRecord {
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

/** Formats a record with one key per line, because people read it. */
export function formatNodeRecord({ id, base, former, fromHost, machine }: NodeRecord): string {
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
