/** Renders why work waits: items that wait for the same reason share one entry. Pure. */
import type { ItemSeen } from '../../observe/mesh-model.js';
import type { Blocked, Phase } from '../../protocol/status.js';
import { showText } from './format.js';

const WAITING: ReadonlySet<Phase> = new Set(['staging', 'deferred', 'queued', 'offered', 'lost']);

/** Items named in one group. */
const NAMED_MAX = 3;
/** Nodes named for one reason. */
const NODES_MAX = 8;

/**
 * The items that wait, grouped by reason, with the reason why each node does not take them; empty when none waits. At
 * most `most` groups are shown, and the number of items left out.
 */
export function renderWaiting(items: readonly ItemSeen[], most: number = Number.POSITIVE_INFINITY): string {
  const groups = [...groupBy(items.filter(isWaitingItem), keyOf).values()];
  const shown = groups.slice(0, most);
  const rest = groups.slice(most).reduce((sum, group) => sum + group.length, 0);
  const more = rest === 0 ? '' : `and ${rest} more wait for other reasons: "tritmesh items" shows them all\n`;
  return shown.map((group) => renderGroup(group)).join('') + more;
}

function isWaitingItem({ phase }: ItemSeen): boolean {
  return WAITING.has(phase);
}

function keyOf({ owner, phase, reason, blocked, owner_online }: ItemSeen): string {
  return JSON.stringify([owner, phase, reason, blocked, owner_online]);
}

function renderGroup(group: readonly ItemSeen[]): string {
  const [first] = group;
  if (first === undefined) return '';
  const why = showText(first.reason) || 'no reason given';
  const reasonText = first.owner_online ? why : `${why} (last report of ${first.owner}, which is offline)`;
  const head =
    group.length === 1
      ? `${first.owner}/${first.item} (${showText(first.name)}) is ${first.phase}: ${reasonText}`
      : `${group.length} items of ${first.owner} are ${first.phase}: ${reasonText}\n  ${nameSome(group)}`;
  return [head, ...renderBlocked(first.blocked), ''].join('\n');
}

function nameSome(group: readonly ItemSeen[]): string {
  const named = group.slice(0, NAMED_MAX).map((one) => `${one.item} (${showText(one.name)})`);
  return joinSome(named, group.length);
}

function renderBlocked(blocked: readonly Blocked[]): string[] {
  return [...groupBy(blocked, (one) => one.reason)].map(([reason, ones]) => {
    const nodes = ones.slice(0, NODES_MAX).map((one) => one.node);
    return `  ${joinSome(nodes, ones.length)}: ${showText(reason)}`;
  });
}

function groupBy<T>(values: readonly T[], keyOfOne: (value: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOfOne(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

function joinSome(shown: readonly string[], all: number): string {
  return `${shown.join(', ')}${all > shown.length ? ` and ${all - shown.length} more` : ''}`;
}
