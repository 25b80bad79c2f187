/**
 * Reads the command line of `run` and `defer` for the thin path: only the flags that it knows, written in a way that
 * cannot be misread. Everything else is for commander, which also reports what is wrong.
 */
import type { ItemFlags } from '../job/draft-item.js';

/** A command line that the thin path can run. */
export interface ThinCommand {
  readonly kind: 'run' | 'defer';
  /** The program and its arguments. */
  readonly argv: readonly string[];
  readonly flags: ItemFlags & { readonly wait?: boolean; readonly verbose?: boolean };
  readonly node: NodeFlags;
}

/** Flags that say which node is meant. */
export interface NodeFlags {
  readonly id?: string;
  readonly base?: string;
  readonly broker?: string;
  readonly stateDir?: string;
}

interface Read {
  readonly flags: Record<string, string | boolean | readonly string[]>;
  readonly node: Record<string, string>;
}

const NODE_FLAGS: Readonly<Record<string, keyof NodeFlags>> = {
  '--id': 'id',
  '--base': 'base',
  '--broker': 'broker',
  '--state-dir': 'stateDir',
};
const VALUES: Readonly<Record<string, keyof ItemFlags>> = {
  '--on': 'on',
  '--cpus': 'cpus',
  '--memory': 'memory',
  '--arch': 'arch',
  '--os': 'os',
  '--wall': 'wall',
  '--retry': 'retry',
  '--attempts': 'attempts',
  '--migrate': 'migrate',
  '--name': 'name',
};
const LISTS: Readonly<Record<string, keyof ItemFlags>> = { '--label': 'label', '--env': 'env' };
const SWITCHES: Readonly<Record<string, readonly [name: string, value: boolean]>> = {
  '--here': ['here', true],
  '--away': ['away', true],
  '--wait': ['wait', true],
  '--no-wait': ['wait', false],
  '--verbose': ['verbose', true],
  '-v': ['verbose', true],
};

/** Reads the arguments of the program; `undefined` unless the thin path can run them. */
export function readThinCommand([kind, ...rest]: readonly string[]): ThinCommand | undefined {
  if (kind !== 'run' && kind !== 'defer') return undefined;
  const read: Read = { flags: {}, node: {} };
  let at = 0;
  for (; rest[at]?.startsWith('-') === true && rest[at] !== '--';) {
    const used = readFlag(read, rest[at] ?? '', rest[at + 1]);
    if (used === 0) return undefined;
    at += used;
  }
  const hasDashes = rest[at] === '--';
  const argv = rest.slice(hasDashes ? at + 1 : at);
  // Where the program begins without dashes, later ones are for commander to interpret.
  if (argv.length === 0 || (!hasDashes && argv.includes('--'))) return undefined;
  return { kind, argv, flags: read.flags, node: read.node };
}

/** Reads one flag; returns the number of arguments that it took, 0 if it is not known here. */
function readFlag({ flags, node }: Read, text: string, next: string | undefined): number {
  const known = SWITCHES[text];
  if (known !== undefined) {
    [, flags[known[0]]] = known;
    return 1;
  }
  const equals = text.indexOf('=');
  const flag = equals === -1 ? text : text.slice(0, equals);
  const value = equals === -1 ? next : text.slice(equals + 1);
  // An empty value, or one that looks like a flag, is more likely a mistake.
  if (value === undefined || value === '' || value.startsWith('-')) return 0;
  if (!keepValue({ flags, node }, flag, value)) return 0;
  return equals === -1 ? 2 : 1;
}

function keepValue({ flags, node }: Read, flag: string, value: string): boolean {
  const own = NODE_FLAGS[flag];
  const single = VALUES[flag];
  const list = LISTS[flag];
  if (own !== undefined) node[own] = value;
  else if (single !== undefined) flags[single] = value;
  else if (list !== undefined) flags[list] = [...((flags[list] as readonly string[] | undefined) ?? []), value];
  else return false;
  return true;
}
