/** Renders what a node that is to be renamed still waits for. Pure. */
import { countOf, showText } from './format.js';

/** The items left to wait for; `waits` may list only some of the `count`. */
export interface Waits {
  readonly count: number;
  readonly waits: readonly { readonly item: string; readonly phase: string; readonly reason: string }[];
}

/** Parses the data of the node's answer; missing fields count as nothing. */
export function readWaits(data: Readonly<Record<string, unknown>>): Waits {
  const { waits, waits_count } = data;
  const listed = Array.isArray(waits) ? (waits as readonly unknown[]).map(readWait) : [];
  return { count: typeof waits_count === 'number' ? waits_count : listed.length, waits: listed };
}

function readWait(value: unknown): Waits['waits'][number] {
  const fields = (value ?? {}) as Readonly<Record<string, unknown>>;
  const read = (name: string): string => (typeof fields[name] === 'string' ? showText(fields[name]) : '');
  return { item: read('item'), phase: read('phase'), reason: read('reason') };
}

/** A heading, and one line per item that is waited for. */
export function listWaits(id: string, { count, waits }: Waits): string {
  if (count === 0) return `no work is left that other nodes know by ${id}: it is being renamed`;
  const lines = waits.map((one) => `  ${one.item} ${one.phase}${one.reason === '' ? '' : `: ${one.reason}`}`);
  const more = count > waits.length ? [`  and ${count - waits.length} more`] : [];
  const head = `waiting for ${countOf(count, 'item')} that other nodes know by ${id}; "tritmesh cancel ITEM" ends one, Ctrl-C keeps the id ${id}`;
  return [head, ...lines, ...more].join('\n');
}
