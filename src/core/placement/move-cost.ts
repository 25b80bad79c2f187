/**
 * Estimates whether moving a running process pays: the expected gain against the time to stop, carry and restore it.
 * The estimate includes a sentence, so that people can follow it.
 */

/** What is known about a move in advance. */
export interface MoveProspect {
  /** Load per cpu here now, and there with the process. */
  readonly ratioHere: number;
  readonly ratioThere: number;
  /** How long it has run, ms. */
  readonly ranMs: number;
  /** Approximate size of its image. */
  readonly imageBytes: number;
  /** Image bytes per second in recent moves to that node, from order to running copy; `undefined` before the first. */
  readonly bytesPerS: number | undefined;
}

/** The estimate. Seconds. */
export interface MoveEstimate {
  readonly pays: boolean;
  /** How long the process would be stopped. */
  readonly costS: number;
  /** The load that it would avoid, over the time that it is expected to go on running. */
  readonly gainS: number;
  /** Continues a sentence that starts with "it": "takes about …". */
  readonly sentence: string;
}

/** What every move takes, however small the image: an offer, an ack, a dump and a restore. */
const MOVE_MIN_S = 2;
/** Used until a move was measured: what a gigabit link achieves when the image is also written once and read twice. */
const DEFAULT_BYTES_PER_S = 40_000_000;
/** Longest assumed remaining run time: even a process that has run for days may end soon. */
const HORIZON_MS_MAX = 3_600_000;

/**
 * Estimates a move. Process lifetimes are heavy-tailed: a process that has run for a while runs, in the median, about
 * as long again (Harchol-Balter and Downey, 1997). So a young process with a large image is not worth moving.
 */
export function estimateMove({ ratioHere, ratioThere, ranMs, imageBytes, bytesPerS }: MoveProspect): MoveEstimate {
  const restS = Math.min(ranMs, HORIZON_MS_MAX) / 1000;
  const costS = estimateSeconds(imageBytes, bytesPerS);
  const gainS = Math.max(0, ratioHere - ratioThere) * restS;
  const took = `takes about ${formatSeconds(costS)} for ${formatMegabytes(imageBytes)}`;
  const gain = `gains ${formatSeconds(gainS)} (${(ratioHere - ratioThere).toFixed(2)} of load over the ${formatSeconds(restS)} it may run on)`;
  return { pays: gainS > costS, costS, gainS, sentence: `${took} and ${gain}` };
}

/** How long a process would be stopped, seconds. */
export function estimateSeconds(imageBytes: number, bytesPerS: number | undefined): number {
  return MOVE_MIN_S + imageBytes / (bytesPerS ?? DEFAULT_BYTES_PER_S);
}

function formatSeconds(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

function formatMegabytes(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / 1_000_000))} MB`;
}
