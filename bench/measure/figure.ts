/** Figures as they are printed: one flat record a measurement, the same keys for all of one benchmark. Pure. */
import Table from 'cli-table3';

/** One measurement; units stand in the keys. */
export type Figure = Readonly<Record<string, string | number>>;

/** A table with a column for each key; the first column is the benchmark's name. */
export function formatFigures(figures: readonly Figure[]): string {
  const keys = Object.keys(figures[0] ?? {});
  const table = new Table({ head: keys, style: { head: [], border: [] } });
  for (const figure of figures) table.push(keys.map((key) => String(figure[key] ?? '')));
  return table.toString();
}

/** Rounds to what a measurement is worth: two decimals. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The value below which a share (0..1) of the sample lies; NaN for an empty sample. */
export function quantile(sample: readonly number[], share: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
