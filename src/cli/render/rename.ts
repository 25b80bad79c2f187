/** What a node that is to be renamed still waits for, as text. Pure: data of its answer in, text out. */
import { showText } from './words.js';

/** What is left. */
export interface Waits {
  readonly count: number;
  readonly waits: readonly { readonly item: string; readonly phase: string; readonly reason: string }[];
}

/** Reads the data of the node's answer; what it does not hold counts as nothing. */
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

/** One line for each thing that is waited for. */
export function listWaits(id: string, { count, waits }: Waits): string {
  if (count === 0) return `nothing is left that others know by ${id}: it is being renamed`;
  const lines = waits.map((one) => `  ${one.item} ${one.phase}${one.reason === '' ? '' : `: ${one.reason}`}`);
  const more = count > waits.length ? [`  and ${count - waits.length} more`] : [];
  const head = `waiting for ${count} that others know by ${id}; "tritmesh cancel ITEM" ends one, Ctrl-C leaves ${id} as it is`;
  return [head, ...lines, ...more].join('\n');
}
