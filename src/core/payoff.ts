/**
 * Whether a move of a running process pays: what is gained by it against what it costs to stop, carry and restore it. Pure; it only
 * reckons, and says its reckoning so that people can follow it.
 */

/** What is known of a move before it is made. */
export interface MoveProspect {
  /** Load per cpu here now, and over there with the process on it. */
  readonly ratioHere: number;
  readonly ratioThere: number;
  /** How long it has run, ms. */
  readonly ranMs: number;
  /** About what its image takes. */
  readonly imageBytes: number;
  /** Bytes of image a second, from the order to the copy that runs, as the last moves to that node had it; `undefined` before any. */
  readonly bytesPerS: number | undefined;
}

/** The reckoning. Seconds. */
export interface Payoff {
  readonly pays: boolean;
  /** How long it would stand still. */
  readonly costS: number;
  /** Load taken off it, over the time that it is expected to run on. */
  readonly gainS: number;
  /** Continues a sentence: "takes about …". */
  readonly sentence: string;
}

/** What every move takes, however small the image: two offers of a hand, a dump, a restore. */
const MOVE_MIN_S = 2;
/** Until a move was measured: what a gigabit line leaves after the image was written once and read twice. */
const DEFAULT_BYTES_PER_S = 40_000_000;
/** Nobody knows how long a process will run; that it has run for days does not make hours of work in vain pay. */
const HORIZON_MS_MAX = 3_600_000;

/**
 * Reckons. How long a process goes on is not known, but lifetimes of processes are heavy-tailed: one that has run for a while runs, by
 * the median, about as long again (Harchol-Balter and Downey, 1997). So a young process is not worth a large image.
 */
export function weighMove({ ratioHere, ratioThere, ranMs, imageBytes, bytesPerS }: MoveProspect): Payoff {
  const restS = Math.min(ranMs, HORIZON_MS_MAX) / 1000;
  const costS = expectSeconds(imageBytes, bytesPerS);
  const gainS = Math.max(0, ratioHere - ratioThere) * restS;
  const took = `takes about ${formatSeconds(costS)} for ${formatMegabytes(imageBytes)}`;
  const gain = `gains ${formatSeconds(gainS)} (${(ratioHere - ratioThere).toFixed(2)} of load over the ${formatSeconds(restS)} it may run on)`;
  return { pays: gainS > costS, costS, gainS, sentence: `${took} and ${gain}` };
}

/** How long a process would stand still, seconds. */
export function expectSeconds(imageBytes: number, bytesPerS: number | undefined): number {
  return MOVE_MIN_S + imageBytes / (bytesPerS ?? DEFAULT_BYTES_PER_S);
}

function formatSeconds(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

function formatMegabytes(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / 1_000_000))} MB`;
}
