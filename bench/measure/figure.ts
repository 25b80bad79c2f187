/** Figures as they are printed: a flat record per measurement, with the same keys for a whole benchmark. Pure. */
import Table from 'cli-table3';

/** One measurement; the keys contain the units. */
export type Figure = Readonly<Record<string, string | number>>;

/** Formats figures as a table with a column for each key; the first one is the benchmark's name. */
export function formatFigures(figures: readonly Figure[]): string {
  const keys = Object.keys(figures[0] ?? {});
  const table = new Table({ head: keys, style: { head: [], border: [] } });
  for (const figure of figures) table.push(keys.map((key) => String(figure[key] ?? '')));
  return table.toString();
}

/** Rounds to two decimals; measurements are not more precise than that. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The value below which a share (0..1) of the sample lies; NaN for an empty sample. */
export function quantile(sample: readonly number[], share: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
