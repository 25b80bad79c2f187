/** The mesh for people: its nodes, its sum, its receivers, its heavy processes. Pure: data in, text out. */
import type { Ranking } from '../../core/election.js';
import type { MeshSum } from '../../core/mesh.js';
import type { MemberSeen, MeshSnapshot } from '../../observe/mesh-picture.js';
import { RECEIVERS_SHOWN_MAX } from '../../protocol/limits.js';
import { renderWaiting } from './items.js';
import { renderTable, type Column } from './table.js';
import { explainDirection, formatAge, formatSigned, nameTrit, showText } from './words.js';

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

/** One table of all nodes, the sum, and the waiting items with the reasons why they wait. */
export function renderStatus(snapshot: MeshSnapshot, width: number): string {
  if (snapshot.members.length === 0) return 'no node has been heard of; start one with "tritmesh node"\n';
  const table = renderTable(STATUS_COLUMNS, snapshot.members.map(describeMember), width);
  const waiting = renderWaiting(snapshot.items);
  return `${table}\n\n${renderSum(snapshot.sum)}\n${waiting === '' ? '' : `\n${waiting}`}`;
}

function describeMember(member: MemberSeen): readonly string[] {
  const { state } = member;
  if (state === undefined || !member.online) return [member.id, '', '', '', '', '', '', '', 'offline'];
  const flags = [state.draining ? 'draining' : '', state.accepting ? '' : 'accepts nothing'];
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

/** The least loaded MINUS nodes, best first, and the one reason why each other is none of them. */
export function renderReceivers(ranking: Ranking, members: readonly MemberSeen[], width: number): string {
  const best = ranking.ranked.slice(0, RECEIVERS_SHOWN_MAX);
  const ratios = new Map(members.map((one) => [one.id, one.state?.projected_ratio]));
  const rows = [
    ...best.map((node, at) => [String(at + 1), node, formatRatio(ratios.get(node)), 'receives']),
    ...ranking.ranked.slice(best.length).map((node) => ['', node, formatRatio(ratios.get(node)), 'more loaded']),
    ...[...ranking.blocked].map(([node, reason]) => ['', node, formatRatio(ratios.get(node)), showText(reason)]),
  ];
  if (rows.length === 0) return 'no node has been heard of\n';
  const columns: Column[] = [
    { head: 'rank', right: true },
    { head: 'node' },
    { head: 'ratio', right: true },
    { head: 'why' },
  ];
  const none = best.length === 0 ? 'no node receives now\n\n' : '';
  return `${none}${renderTable(columns, rows, width)}\n`;
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
