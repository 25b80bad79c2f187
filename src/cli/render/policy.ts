/** Renders the figures of simulated policies: one figure per line, one policy per column. Pure. */
import type { PolicyReport } from '../../sim/policy/run-policy.js';
import type { PolicyFigures } from '../../sim/policy/report.js';
import type { FigureSpread } from '../../sim/policy/spread.js';
import { renderTable } from './table.js';

/** The figures in order, with their labels and number of decimals. */
const LINES: readonly (readonly [keyof PolicyFigures, string, number])[] = [
  ['jobs', 'jobs submitted', 0],
  ['unsettled', 'not settled at the end', 0],
  ['failed', 'failed', 0],
  ['slowdown_mean', 'slowdown, mean', 2],
  ['slowdown_p99', 'slowdown, p99', 1],
  ['away_percent', 'ran away from home, %', 0],
  ['moves', 'moves', 0],
  ['moves_undone', 'moves undone in 10 min', 0],
  ['flips_per_node_hour', 'trit flips per node and hour', 1],
  ['claims_per_start', 'claims per start', 2],
  ['said_per_node_s', 'messages sent per node and s', 3],
  ['heard_per_node_s', 'messages received per node and s', 1],
  ['convergence_ms_mean', 'time to agree on the sum, mean ms', 0],
  ['convergence_ms_p99', 'time to agree on the sum, p99 ms', 0],
];

/** The report as text; `width` is the terminal's, in characters. */
export function renderPolicy(report: PolicyReport, width: number): string {
  const { nodes, hours, workload, seed, seeds, state_every_ms } = report;
  const states = state_every_ms === null ? '' : `, a state every ${state_every_ms / 1000} s`;
  const head = `${nodes} nodes, ${hours} h, workload ${workload}, ${seeds === 1 ? `seed ${seed}` : `seeds ${seed} to ${seed + seeds - 1}`}${states}`;
  const columns = [{ head: '' }, ...report.policies.map(({ name }) => ({ head: name, right: true }))];
  const rows = LINES.map(([key, label, digits]) => [
    label,
    ...report.policies.map(({ figures }) => renderFigure(figures[key], digits, report.seeds)),
  ]);
  return `${head}\n\n${renderTable(columns, rows, width)}\n`;
}

/** The mean and, for several runs, the standard deviation. */
function renderFigure(figure: FigureSpread, digits: number, seeds: number): string {
  if (figure === null) return '-';
  const mean = figure.mean.toFixed(digits);
  return seeds === 1 ? mean : `${mean} ± ${figure.sd.toFixed(digits)}`;
}
