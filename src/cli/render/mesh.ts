/** Renders the mesh: its nodes, its sum, its receivers, its heavy processes. Pure. */
import type { Ranking } from '../../core/mesh/ranking.js';
import type { MeshSum } from '../../core/mesh/member-table.js';
import { findNamesakes, type MemberSeen, type MeshSnapshot } from '../../observe/mesh-model.js';
import { countUnseen } from '../../observe/unseen-items.js';
import { RECEIVERS_SHOWN_MAX } from '../../protocol/limits.js';
import { renderTable, type Column } from './table.js';
import { renderWaiting } from './waiting.js';
import { countOf, explainDirection, formatAge, formatSigned, nameTrit, showText } from './format.js';

const STATUS_COLUMNS: readonly Column[] = [
  { head: 'node' },
  { head: 'trit' },
  { head: 'ratio', right: true },
  { head: 'cpus', right: true },
  { head: 'free', right: true },
  { head: 'guests', right: true },
  { head: 'queued', right: true },
  { head: 'scum', right: true },
  { head: 'flags' },
];

/** How to render. */
export interface RenderOptions {
  /** Line width, in characters. */
  readonly width: number;
  /** Include nodes that are gone, and their items. */
  readonly all: boolean;
  /** Current wall clock, ms; ages are relative to it. */
  readonly wall: number;
}

/** Reasons for waiting that the status shows; `tritmesh items` shows all. */
const REASONS_MAX = 10;

/** One table of all nodes, the sum, and the waiting items with the reasons why they wait. */
export function renderStatus(snapshot: MeshSnapshot, { width, all, wall }: RenderOptions): string {
  if (snapshot.members.length === 0) return 'no node has been heard of; start one with "tritmesh node"\n';
  const shown = snapshot.members.filter((one) => all || !one.gone);
  const rows = shown.map((one) => describeMember(one, findNamesakes(one, snapshot.members), wall));
  const table = rows.length === 0 ? '' : `${renderTable(STATUS_COLUMNS, rows, width)}\n\n`;
  const waiting = renderWaiting(
    snapshot.items.filter((one) => all || !one.owner_gone),
    REASONS_MAX,
  );
  const unseen = countUnseen(snapshot)
    .map(
      ({ owner, count }) =>
        `${owner} has ${count} more waiting items than it keeps on the bus: "tritmesh items" lists them\n`,
    )
    .join('');
  const rest = `${waiting}${unseen}${describeGone(snapshot.members.length - shown.length)}`;
  return `${table}${renderSum(snapshot.sum)}\n${rest === '' ? '' : `\n${rest}`}`;
}

/** The line about nodes that are gone and not shown. */
function describeGone(count: number): string {
  return count === 0 ? '' : `${countOf(count, 'gone node')} not shown (--all shows them)\n`;
}

/** A state that is overdue by more than this, ms, cannot be explained by a slow clock. */
const STALE_MS = 300_000;

function describeMember(member: MemberSeen, namesakes: readonly string[], wall: number): readonly string[] {
  const { state } = member;
  const seen = member.last_seen === null ? undefined : wall - Date.parse(member.last_seen);
  const since = seen === undefined ? '' : `, last seen ${formatAge(Math.max(0, seen) / 1000)} ago`;
  const away = member.gone ? 'gone' : 'offline';
  if (state === undefined || !member.online) return [member.id, '', '', '', '', '', '', '', `${away}${since}`];
  const isStale = seen !== undefined && seen > state.ttl_s * 1000 + STALE_MS;
  const flags = [
    state.draining ? 'draining' : '',
    state.accepting ? '' : 'accepts no work',
    isStale ? `state is ${formatAge(seen / 1000)} old: its clock is wrong, or it is gone` : '',
    state.disk_free_bytes === 0 ? 'disk full' : '',
    state.copy === undefined ? '' : `has a copy on ${showText(state.copy)}`,
    namesakes.length === 0 ? '' : `has the same key as ${namesakes.join(', ')}`,
  ];
  return [
    member.id,
    nameTrit(state.trit),
    state.load_ratio.toFixed(2),
    String(state.cpus),
    `${state.slots_free}/${state.slots}`,
    String(state.guests),
    state.deferred > 0 ? `${state.queued}+${state.deferred}` : String(state.queued),
    String(state.scum),
    flags.filter((flag) => flag !== '').join(', '),
  ];
}

/** The sum, its residue, the invariant and the direction, in two lines. */
export function renderSum(sum: MeshSum): string {
  const invariant = sum.invariant ? 'invariant holds' : 'invariant does not hold';
  return [
    `sum ${formatSigned(sum.sum)}, residue ${sum.residue} (${invariant}), direction ${sum.direction}: ${explainDirection(sum.direction)}`,
    `${sum.online} online: ${sum.plus} PLUS, ${sum.ergodic} ERGODIC, ${sum.minus} MINUS`,
  ].join('\n');
}

/** The least loaded MINUS nodes, best first, and for each other node the reason why it is not among them. */
export function renderReceivers(
  ranking: Ranking,
  members: readonly MemberSeen[],
  { width, all }: Pick<RenderOptions, 'width' | 'all'>,
): string {
  const gone = new Set(members.filter((one) => !all && one.gone).map((one) => one.id));
  const best = ranking.ranked.slice(0, RECEIVERS_SHOWN_MAX);
  const ratios = new Map(members.map((one) => [one.id, one.state?.projected_ratio]));
  const rows = [
    ...best.map((node, at) => [String(at + 1), node, formatRatio(ratios.get(node)), 'receives']),
    ...ranking.ranked.slice(best.length).map((node) => ['', node, formatRatio(ratios.get(node)), 'more loaded']),
    ...[...ranking.blocked]
      .filter(([node]) => !gone.has(node))
      .map(([node, { text }]) => ['', node, formatRatio(ratios.get(node)), showText(text)]),
  ];
  if (rows.length === 0) return `no node has been heard of\n${describeGone(gone.size)}`;
  const columns: Column[] = [
    { head: 'rank', right: true },
    { head: 'node' },
    { head: 'ratio', right: true },
    { head: 'why' },
  ];
  const none = best.length === 0 ? 'no node can take work now\n\n' : '';
  return `${none}${renderTable(columns, rows, width)}\n${describeGone(gone.size)}`;
}

function formatRatio(ratio: number | undefined): string {
  return ratio === undefined ? '' : ratio.toFixed(2);
}

const SCUM_COLUMNS: readonly Column[] = [
  { head: 'pid', right: true },
  { head: 'name' },
  { head: 'score', right: true },
  { head: 'cpu %', right: true },
  { head: 'memory %', right: true },
  { head: 'age', right: true },
  { head: 'action' },
  { head: 'item' },
];

/** The heavy processes of one node. */
export function renderScum(member: MemberSeen, width: number): string {
  const { scum } = member;
  if (scum === undefined || scum.count === 0) return `${member.id}: no process scores above 0.35\n`;
  const rows = scum.items.map((one) => [
    String(one.pid),
    showText(one.name),
    one.score.toFixed(2),
    one.cpu_percent.toFixed(0),
    one.memory_percent.toFixed(1),
    formatAge(one.age_s),
    one.movable || one.action !== 'migrate' ? one.action : 'migrate (not movable)',
    one.item ?? '',
  ]);
  const more = scum.count > scum.items.length ? `\nand ${scum.count - scum.items.length} more` : '';
  return `${renderTable(SCUM_COLUMNS, rows, width)}${more}\n`;
}
