/** Explains what a node does about each heavy process: the three terms of the score, the action, the reason. Pure. */
import { splitScore } from '../../core/processes/scum.js';
import type { MemberSeen } from '../../observe/mesh-model.js';
import type { Scum, ScumItem } from '../../protocol/messages.js';
import { renderTable, type Column } from './table.js';
import { showText } from './format.js';

/** A heavy process with the terms that add up to its score. */
export interface ScoredItem extends ScumItem {
  readonly terms: { readonly cpu: number; readonly memory: number; readonly age: number };
}

/** The heavy processes with the terms of their scores, rounded to 0.001. */
export function scoreItems({ items, formula = 'clamped' }: Scum): readonly ScoredItem[] {
  return items.map((one) => {
    const reading = { cpuPercent: one.cpu_percent, memoryPercent: one.memory_percent, ageS: one.age_s };
    const { cpu, memory, age } = splitScore(reading, formula);
    return { ...one, terms: { cpu: round(cpu), memory: round(memory), age: round(age) } };
  });
}

const COLUMNS: readonly Column[] = [
  { head: 'pid', right: true },
  { head: 'name' },
  { head: 'score', right: true },
  { head: 'cpu', right: true },
  { head: 'memory', right: true },
  { head: 'age', right: true },
  { head: 'action' },
  { head: 'acts' },
  { head: 'throttle' },
  { head: 'why' },
];

/** One row per process, or one block per process where the line is too narrow. */
export function explainScum({ id, scum }: MemberSeen, width: number): string {
  if (scum === undefined || scum.count === 0) return `${id}: no process scores above 0.35\n`;
  const rows = scoreItems(scum).map((one) => [
    String(one.pid),
    showText(one.name),
    one.score.toFixed(2),
    one.terms.cpu.toFixed(2),
    one.terms.memory.toFixed(2),
    one.terms.age.toFixed(2),
    one.action,
    one.acts === undefined ? '' : one.acts ? 'yes' : 'no',
    one.throttled_percent === undefined
      ? ''
      : `${one.throttled_percent} % of a core, ${showText(one.throttled_by ?? '')}`,
    showText(one.why ?? 'no reason given'),
  ]);
  const more = scum.count > rows.length ? `\nand ${scum.count - rows.length} more` : '';
  return `${renderTable(COLUMNS, rows, width)}${more}\n`;
}

function round(term: number): number {
  return Math.round(term * 1000) / 1000;
}
