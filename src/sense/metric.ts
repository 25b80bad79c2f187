/**
 * Parses the metric, which determines what counts as load, from its textual form. It senses nothing.
 */

/** The quantity that the load ratio is computed from. */
export type Metric =
  /** Running or blocked tasks per CPU, averaged over 20 s. */
  | { readonly kind: 'ewma' }
  /** The 1-minute load average per CPU, as in the seed. */
  | { readonly kind: 'loadavg1' }
  /** CPU time used by this container or slice, relative to its quota. */
  | { readonly kind: 'cgroup' }
  /** CPU time used by a process and its descendants; with `withoutRoot`, by the descendants alone. */
  | { readonly kind: 'tree'; readonly pid: number; readonly withoutRoot?: true }
  /** A number printed by a shell command. */
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'fixed'; readonly ratio: number };

/** The highest ratio that may be published. */
export const RATIO_MAX = 1_000_000;

const FORMS = 'ewma, loadavg1, cgroup, tree:PID, command:CMD or fixed:N';
const TREE_FORMS =
  'tree needs a pid: tree:PID, or tree:self for the node and all it starts, or tree:jobs for that without the node';

/**
 * Parses `ewma`, `loadavg1`, `cgroup`, `tree:PID`, `tree:self` (the node and all processes it starts), `tree:jobs`
 * (the same without the node), `command:CMD` or `fixed:N`. Never throws; `reason` continues a sentence that begins
 * with the name of the option.
 */
export function parseMetric(
  text: string,
): { readonly ok: true; readonly metric: Metric } | { readonly ok: false; readonly reason: string } {
  const colon = text.indexOf(':');
  const kind = colon === -1 ? text : text.slice(0, colon);
  const value = colon === -1 ? undefined : text.slice(colon + 1).trim();
  const metric = value === undefined ? readPlain(kind) : readValued(kind, value);
  return typeof metric === 'string' ? { ok: false, reason: metric } : { ok: true, metric };
}

/** Parses a ratio: a plain number from 0 to {@link RATIO_MAX}. Returns `undefined` for anything else. */
export function parseRatio(text: string): number | undefined {
  if (!/^\d+(\.\d*)?(e[-+]?\d+)?$|^\.\d+(e[-+]?\d+)?$/i.test(text)) return undefined;
  const ratio = Number(text);
  return ratio <= RATIO_MAX ? ratio : undefined;
}

function readPlain(kind: string): Metric | string {
  switch (kind) {
    case 'ewma':
    case 'loadavg1':
    case 'cgroup':
      return { kind };
    case 'tree':
      return TREE_FORMS;
    case 'command':
      return 'command needs a program: command:CMD';
    case 'fixed':
      return 'fixed needs a ratio: fixed:N';
    default:
      return `must be ${FORMS}, not "${kind.slice(0, 64)}"`;
  }
}

function readValued(kind: string, value: string): Metric | string {
  switch (kind) {
    case 'tree':
      return readTree(value);
    case 'command':
      return value === '' ? 'command needs a program: command:CMD' : { kind, command: value };
    case 'fixed': {
      const ratio = parseRatio(value);
      return ratio === undefined ? `fixed needs a number from 0 to ${RATIO_MAX}: fixed:N` : { kind, ratio };
    }
    case 'ewma':
    case 'loadavg1':
    case 'cgroup':
      return `${kind} takes no value`;
    default:
      return `must be ${FORMS}, not "${kind.slice(0, 64)}"`;
  }
}

function readTree(value: string): Metric | string {
  if (value === 'self') return { kind: 'tree', pid: process.pid };
  if (value === 'jobs') return { kind: 'tree', pid: process.pid, withoutRoot: true };
  if (!/^[1-9]\d{0,9}$/.test(value)) return TREE_FORMS;
  return { kind: 'tree', pid: Number(value) };
}
