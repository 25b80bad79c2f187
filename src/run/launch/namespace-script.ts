/**
 * The file `order` of a run in a pid namespace: what its init is to run, as shell text. Every value in it is quoted and
 * must never be interpreted by the shell. Its first line is for a node that finds the run after a crash.
 */
import { join } from 'node:path';
import { ORDER_FILE } from '../directory/reserved-files.js';
import { readTextIfThere } from '../../os/try-read.js';
import type { NamespaceHead, NamespaceRestore } from '../freeze/pid-namespace.js';

/** The content of the file. */
export interface NamespaceScript {
  readonly namespace: NamespaceHead;
  /** Absolute path of the file that becomes stdin. */
  readonly input: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Set for a copy; `argv` is then the command that restores it. */
  readonly restore?: NamespaceRestore | undefined;
}

/** Variables that shells manage themselves: they are set through `env` instead, at the cost of one more exec. */
const KEPT_BY_SHELL =
  /^(?:BASH.*|DIRSTACK|EUID|FUNCNAME|GROUPS|IFS|LINENO|OLDPWD|OPTARG|OPTERR|OPTIND|PIPESTATUS|POSIXLY_CORRECT|PPID|PS[0-9]|PWD|RANDOM|SECONDS|SHELLOPTS|SHLVL|UID|_)$/;

/** Formats the file. */
export function formatNamespaceScript({ namespace, input, argv, environment, restore }: NamespaceScript): string {
  const variables = Object.entries(environment);
  const exported = variables.filter(([name]) => !KEPT_BY_SHELL.test(name)).map(formatVariable);
  const kept = variables.filter(([name]) => KEPT_BY_SHELL.test(name)).map(formatVariable);
  return [
    // A comment for the shell.
    `# ${JSON.stringify(namespace)}`,
    `input=${quote(input)}`,
    `set -- ${argv.map(quote).join(' ')}`,
    'begin() {',
    ...exported.map((variable) => `export ${variable}`),
    `exec ${kept.length === 0 ? '' : `/usr/bin/env ${kept.join(' ')} `}"$@"`,
    '}',
    `kind=${namespace.kind}`,
    `root=${namespace.root}`,
    `free_pid=${restore?.freePid ?? 0}`,
    'mount_binds() {',
    ':',
    ...(restore?.binds ?? []).map(({ source, target }) => `mount --bind ${quote(source)} ${quote(target)} || return 1`),
    '}',
    '',
  ].join('\n');
}

/** Reads the facts about the namespace of a run; `undefined` when it has none. Throws when the file cannot be read. */
export function readNamespaceHead(directory: string): NamespaceHead | undefined {
  const text = readTextIfThere(join(directory, ORDER_FILE)) ?? '';
  return parseNamespaceHead(/^# (\{.*\})\n/.exec(text)?.[1]);
}

/** Parses the facts about a namespace; `undefined` when they are none. */
export function parseNamespaceHead(text: string | undefined): NamespaceHead | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as NamespaceHead);
  } catch {
    return undefined;
  }
}

function formatVariable([name, value]: readonly [string, string]): string {
  return `${name}=${quote(value)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
