/** Why work waits, for people: items that wait for the same reason are told of once. Pure. */
import type { ItemSeen } from '../../observe/mesh-picture.js';
import type { Blocked, Phase } from '../../protocol/status.js';
import { showText } from './words.js';

const WAITING: ReadonlySet<Phase> = new Set(['staging', 'deferred', 'queued', 'offered', 'lost']);

/** Items of one group that are named, and nodes of one reason. */
const NAMED_MAX = 3;
const NODES_MAX = 8;

/**
 * The items that wait, each kind with the reason why each node does not take it; empty when none waits. `most` bounds the
 * reasons that are told; how many items are left out is said.
 */
export function renderWaiting(items: readonly ItemSeen[], most: number = Number.POSITIVE_INFINITY): string {
  const groups = [...groupBy(items.filter(isWaitingItem), keyOf).values()];
  const told = groups.slice(0, most);
  const rest = groups.slice(most).reduce((sum, group) => sum + group.length, 0);
  const more = rest === 0 ? '' : `and ${rest} more wait for other reasons: "tritmesh items" tells them all\n`;
  return told.map((group) => renderGroup(group)).join('') + more;
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
  const said = first.owner_online ? why : `${why} (so ${first.owner} said last, which is offline)`;
  const head =
    group.length === 1
      ? `${first.owner}/${first.item} (${showText(first.name)}) is ${first.phase}: ${said}`
      : `${group.length} items of ${first.owner} are ${first.phase}: ${said}\n  ${nameSome(group)}`;
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
