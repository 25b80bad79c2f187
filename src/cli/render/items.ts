/** Items for people: what there is, how it stands, and why it waits. Pure. */
import { isEnded, type ItemSeen } from '../../observe/mesh-picture.js';
import type { Phase } from '../../protocol/status.js';
import { renderTable, type Column } from './table.js';
import { formatRun, showText } from './words.js';

const COLUMNS: readonly Column[] = [
  { head: 'item' },
  { head: 'owner' },
  { head: 'name' },
  { head: 'phase' },
  { head: 'node' },
  { head: 'run', right: true },
  { head: 'reason' },
];

const WAITING: ReadonlySet<Phase> = new Set(['staging', 'deferred', 'queued', 'offered', 'lost']);

/** One line an item; ended ones only with `all`. */
export function renderItems(items: readonly ItemSeen[], all: boolean, width: number): string {
  const shown = items.filter((item) => all || !isEnded(item));
  const hidden = items.length - shown.length;
  const more = hidden === 0 ? '' : `${hidden} ended ${hidden === 1 ? 'item' : 'items'} not shown (--all shows them)\n`;
  if (shown.length === 0) return `no items\n${more}`;
  const waiting = renderWaiting(shown);
  return `${renderTable(COLUMNS, shown.map(describeItem), width)}\n${waiting === '' ? '' : `\n${waiting}`}${more}`;
}

function describeItem(item: ItemSeen): readonly string[] {
  const exit = item.exit_code === null || item.exit_code === 0 ? '' : ` ${item.exit_code}`;
  return [
    item.item,
    item.owner,
    showText(item.name),
    `${item.phase}${exit}`,
    item.receiver ?? '',
    item.run_ms === null ? '' : formatRun(item.run_ms),
    showText(item.reason),
  ];
}

/** The items that wait, each with the reason why each node does not take it; empty when none waits. */
export function renderWaiting(items: readonly ItemSeen[]): string {
  return items
    .filter((item) => WAITING.has(item.phase))
    .map((item) => [
      `${item.owner}/${item.item} (${showText(item.name)}) is ${item.phase}: ${showText(item.reason) || 'no reason given'}`,
      ...item.blocked.map((one) => `  ${one.node}: ${showText(one.reason)}`),
    ])
    .map((lines) => `${lines.join('\n')}\n`)
    .join('');
}
