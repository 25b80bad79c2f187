/** Renders items: their phase, where they are, and why they wait. Pure. */
import { isEnded, type ItemSeen } from '../../observe/mesh-model.js';
import { renderTable, type Column } from './table.js';
import { renderWaiting } from './waiting.js';
import { countOf, formatRun, showText } from './format.js';

const COLUMNS: readonly Column[] = [
  { head: 'item' },
  { head: 'owner' },
  { head: 'name' },
  { head: 'phase' },
  { head: 'node' },
  { head: 'run', right: true },
  { head: 'reason' },
];

/** One line per item; ended ones, and those of nodes that are gone, only with `all`. */
export function renderItems(items: readonly ItemSeen[], all: boolean, width: number): string {
  const listed = items.filter((item) => all || !isEnded(item));
  const shown = listed.filter((item) => all || !item.owner_gone);
  const more = [
    describeHidden(items.length - listed.length, 'ended'),
    describeHidden(listed.length - shown.length, 'whose owner is gone'),
  ].join('');
  if (shown.length === 0) return `no items\n${more}`;
  const waiting = renderWaiting(shown);
  return `${renderTable(COLUMNS, shown.map(describeItem), width)}\n${waiting === '' ? '' : `\n${waiting}`}${more}`;
}

function describeHidden(count: number, which: string): string {
  if (count === 0) return '';
  const what = which === 'ended' ? countOf(count, 'ended item') : `${countOf(count, 'item')} ${which}`;
  return `${what} not shown (--all shows them)\n`;
}

function describeItem(item: ItemSeen): readonly string[] {
  const exit = item.exit_code === null || item.exit_code === 0 ? '' : ` ${item.exit_code}`;
  // An ended item stays ended; any other may have progressed while its owner was offline.
  const isLastWord = !item.owner_online && !isEnded(item);
  const away = item.owner_gone ? 'gone' : 'offline';
  return [
    item.item,
    item.owner,
    showText(item.name),
    isLastWord ? `${item.phase}, owner ${away}` : `${item.phase}${exit}`,
    item.receiver ?? '',
    item.run_ms === null ? '' : formatRun(item.run_ms),
    showText(item.reason),
  ];
}
