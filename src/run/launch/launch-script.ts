/**
 * The order: what the launcher is to run, as shell text in which every value is quoted, so that nothing in it is ever
 * interpreted. Its head says which process the launcher is, for a node that finds the run after a crash.
 */
import { NAMESPACE_INIT, type NamespaceHead, type NamespaceRestore } from '../freeze/pid-namespace.js';
import type { RunHandle } from '../runner.js';
import type { ProgramFault } from './find-program.js';

/** What an order says. */
export interface LaunchScript {
  readonly handle: RunHandle;
  /** Hundredths of a second until the guardian ends the run: at its wall-clock limit, and unless it is given more. */
  readonly limit: number;
  readonly lease: number;
  /** Milliseconds of the machine's monotonic clock when it was written. The guardian does not go by it. */
  readonly at: number;
  /** Absolute path, or relative to the run's directory, of what becomes stdin. */
  readonly input: string;
  readonly fault: ProgramFault | undefined;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Of a run that can be frozen. */
  readonly box?: NamespaceHead | undefined;
  /** Of a copy; `argv` restores it then. */
  readonly restore?: NamespaceRestore | undefined;
}

/** What a node needs of an order that an earlier life wrote. */
export interface LaunchHead {
  readonly handle: RunHandle;
  readonly limit: number;
  /** `undefined` when a node before this one wrote it: `limit` is a reading of /proc/uptime then. */
  readonly at: number | undefined;
  readonly box?: NamespaceHead;
}

/** Variables that a shell keeps for itself: `env` sets them past it, at the price of one more exec. */
const KEPT_BY_SHELL =
  /^(?:BASH.*|DIRSTACK|EUID|FUNCNAME|GROUPS|IFS|LINENO|OLDPWD|OPTARG|OPTERR|OPTIND|PIPESTATUS|POSIXLY_CORRECT|PPID|PS[0-9]|PWD|RANDOM|SECONDS|SHELLOPTS|SHLVL|UID|_)$/;

/** Writes an order. */
export function formatLaunchScript(order: LaunchScript): string {
  const variables = Object.entries(order.environment);
  const exported = variables.filter(([name]) => !KEPT_BY_SHELL.test(name)).map(formatVariable);
  const kept = variables.filter(([name]) => KEPT_BY_SHELL.test(name)).map(formatVariable);
  return [
    `launcher=${quote(`${order.handle.pid} ${order.handle.start}`)}`,
    `limit=${order.limit}`,
    `lease=${order.lease}`,
    `at=${order.at}`,
    // A comment to the shell.
    ...(order.box === undefined ? [] : [`# ${JSON.stringify(order.box)}`]),
    `input=${quote(order.input)}`,
    `fault=${quote(order.fault?.sentence ?? '')}`,
    `fault_code=${order.fault?.exitCode ?? 0}`,
    `set -- ${order.argv.map(quote).join(' ')}`,
    'begin() {',
    ...exported.map((variable) => `export ${variable}`),
    `exec ${kept.length === 0 ? '' : `/usr/bin/env ${kept.join(' ')} `}"$@"`,
    '}',
    ...formatBox(order),
    '',
  ].join('\n');
}

/** Reads the head of an order; `undefined` when it is not whole. */
export function parseLaunchHead(text: string): LaunchHead | undefined {
  const match =
    /^launcher='(\d+) ([^'\n]*)'\nlimit=(\d+)\n(?:lease=\d+\nat=(\d+)|deadline=\d+)\n(?:# (\{.*\})\n)?/.exec(text);
  const [, pid, start, limit, at, box] = match ?? [];
  if (pid === undefined || start === undefined || limit === undefined) return undefined;
  const head = {
    handle: { pid: Number(pid), start },
    limit: Number(limit),
    at: at === undefined ? undefined : Number(at),
  };
  if (box === undefined) return head;
  const boxed = parseBox(box);
  return boxed === undefined ? undefined : { ...head, box: boxed };
}

function parseBox(text: string): NamespaceHead | undefined {
  try {
    return JSON.parse(text) as NamespaceHead;
  } catch {
    return undefined;
  }
}

/** What only a box reads; `box` is its program, empty for a run without one. */
function formatBox({ box, restore }: LaunchScript): readonly string[] {
  if (box === undefined) return ['box='];
  return [
    `box=${quote(NAMESPACE_INIT)}`,
    `kind=${box.kind}`,
    `root=${box.root}`,
    `free_pid=${restore?.freePid ?? 0}`,
    'mount_binds() {',
    ':',
    ...(restore?.binds ?? []).map(({ source, target }) => `mount --bind ${quote(source)} ${quote(target)} || return 1`),
    '}',
  ];
}

function formatVariable([name, value]: readonly [string, string]): string {
  return `${name}=${quote(value)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
