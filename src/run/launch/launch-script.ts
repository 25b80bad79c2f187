/**
 * The launch script (file `order`): what the launcher is to run, as shell text. Every value in it is quoted and must
 * never be interpreted by the shell. Its head identifies the launcher process, for a node that finds the run after a
 * crash.
 */
import { NAMESPACE_INIT, type NamespaceHead, type NamespaceRestore } from '../freeze/pid-namespace.js';
import type { RunHandle } from '../runner.js';
import type { ProgramFault } from './find-program.js';

/** The content of a launch script. */
export interface LaunchScript {
  readonly handle: RunHandle;
  /**
   * Hundredths of a second until the watchdog ends the run: `limit` for the wall-clock limit, `lease` unless
   * extended.
   */
  readonly limit: number;
  readonly lease: number;
  /** When it was written, in milliseconds of the machine's monotonic clock. The watchdog does not use it. */
  readonly at: number;
  /** Path of the file that becomes stdin; absolute, or relative to the run directory. */
  readonly input: string;
  readonly fault: ProgramFault | undefined;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Set for a run that can be frozen. */
  readonly namespace?: NamespaceHead | undefined;
  /** Set for a copy; `argv` is then the command that restores it. */
  readonly restore?: NamespaceRestore | undefined;
}

/** What a node needs from a launch script that an earlier node process wrote. */
export interface LaunchHead {
  readonly handle: RunHandle;
  readonly limit: number;
  /** `undefined` when an older node version wrote it: `limit` is then a reading of /proc/uptime. */
  readonly at: number | undefined;
  readonly namespace?: NamespaceHead;
}

/** Variables that shells manage themselves: they are set through `env` instead, at the cost of one more exec. */
const KEPT_BY_SHELL =
  /^(?:BASH.*|DIRSTACK|EUID|FUNCNAME|GROUPS|IFS|LINENO|OLDPWD|OPTARG|OPTERR|OPTIND|PIPESTATUS|POSIXLY_CORRECT|PPID|PS[0-9]|PWD|RANDOM|SECONDS|SHELLOPTS|SHLVL|UID|_)$/;

/** Formats a launch script. */
export function formatLaunchScript(order: LaunchScript): string {
  const variables = Object.entries(order.environment);
  const exported = variables.filter(([name]) => !KEPT_BY_SHELL.test(name)).map(formatVariable);
  const kept = variables.filter(([name]) => KEPT_BY_SHELL.test(name)).map(formatVariable);
  return [
    `launcher=${quote(`${order.handle.pid} ${order.handle.start}`)}`,
    `limit=${order.limit}`,
    `lease=${order.lease}`,
    `at=${order.at}`,
    // A comment for the shell.
    ...(order.namespace === undefined ? [] : [`# ${JSON.stringify(order.namespace)}`]),
    `input=${quote(order.input)}`,
    `fault=${quote(order.fault?.sentence ?? '')}`,
    `fault_code=${order.fault?.exitCode ?? 0}`,
    `set -- ${order.argv.map(quote).join(' ')}`,
    'begin() {',
    ...exported.map((variable) => `export ${variable}`),
    `exec ${kept.length === 0 ? '' : `/usr/bin/env ${kept.join(' ')} `}"$@"`,
    '}',
    ...formatNamespace(order),
    '',
  ].join('\n');
}

/** Parses the head of a launch script; `undefined` when it is incomplete. */
export function parseLaunchHead(text: string): LaunchHead | undefined {
  const match =
    /^launcher='(\d+) ([^'\n]*)'\nlimit=(\d+)\n(?:lease=\d+\nat=(\d+)|deadline=\d+)\n(?:# (\{.*\})\n)?/.exec(text);
  const [, pid, start, limit, at, namespaceText] = match ?? [];
  if (pid === undefined || start === undefined || limit === undefined) return undefined;
  const head = {
    handle: { pid: Number(pid), start },
    limit: Number(limit),
    at: at === undefined ? undefined : Number(at),
  };
  if (namespaceText === undefined) return head;
  const namespace = parseNamespace(namespaceText);
  return namespace === undefined ? undefined : { ...head, namespace };
}

function parseNamespace(text: string): NamespaceHead | undefined {
  try {
    return JSON.parse(text) as NamespaceHead;
  } catch {
    return undefined;
  }
}

/** Lines used only in a pid namespace; `$box` holds its init program, and is empty for a run without one. */
function formatNamespace({ namespace, restore }: LaunchScript): readonly string[] {
  if (namespace === undefined) return ['box='];
  return [
    `box=${quote(NAMESPACE_INIT)}`,
    `kind=${namespace.kind}`,
    `root=${namespace.root}`,
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
