/**
 * Composes what the supervisor is to start: the command itself, or for a run that can be frozen the init of a pid
 * namespace, which reads what to run from a file.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RestorePlan } from '../../checkpoint/checkpoint.js';
import { FIRST_PID, NAMESPACE_INIT, type NamespaceHead } from '../freeze/pid-namespace.js';
import type { StartRequest } from '../runner.js';
import type { StartFrame } from '../supervisor/frames.js';
import { RUN_MARK_VARIABLE } from '../processes/left-behind.js';
import { RUN_DIRECTORY_VARIABLE } from '../processes/process-table.js';
import { ORDER_FILE, reserveExit } from '../directory/reserved-files.js';
import { composeEnvironment, composeLauncherPath } from './environment.js';
import { findInputFault, findProgram, type ProgramFault } from './find-program.js';
import { formatNamespaceScript, type NamespaceScript } from './namespace-script.js';

/** What to start: the parts of a {@link StartFrame} that do not depend on time. */
export interface ComposedStart {
  readonly frame: Pick<StartFrame, 'mode' | 'directory' | 'stdin' | 'argv' | 'environment'>;
  /** Set for a run that can be frozen. */
  readonly namespace?: NamespaceHead | undefined;
}

/** Composes the start of a command, which marks everything it starts with `mark`. */
export function composePlain(order: StartRequest, mark: string): ComposedStart {
  const { command, directory } = order;
  const environment = composeJobEnvironment(order, mark);
  return { frame: { mode: 'plain', directory, stdin: command.stdin ?? '', argv: command.argv, environment } };
}

/**
 * Composes the start of a command that can be frozen. Its program is looked for here, since what fails inside of a
 * namespace cannot be reported in words. Throws the file system's errors.
 */
export function composeFreezable(order: StartRequest, mark: string): ComposedStart | { readonly fault: ProgramFault } {
  const { command, directory } = order;
  const environment = composeJobEnvironment(order, mark);
  const fault = findFault(order);
  if (fault !== undefined) return { fault };
  const namespace: NamespaceHead = { kind: 'started', root: FIRST_PID, knownAs: directory, cpuS: 0, wallMs: 0 };
  const input = command.stdin === undefined ? '/dev/null' : join(directory, 'work', command.stdin);
  return composeNamespace(directory, mark, { namespace, input, argv: nameProgram(order, environment), environment });
}

/** Composes the start that restores an image. Throws the file system's errors. */
export function composeCopy({ directory }: StartRequest, mark: string, plan: RestorePlan): ComposedStart {
  const { facts, argv, binds, freePid } = plan;
  const { root, known_as: knownAs, cpu_s: cpuS, wall_ms: wallMs } = facts;
  const namespace: NamespaceHead = { kind: 'restored', root, knownAs, cpuS, wallMs };
  // Empty files are not transferred, but the command has them open.
  for (const name of ['stdout', 'stderr']) appendFileSync(join(directory, name), '');
  const restore = { binds, freePid };
  return composeNamespace(directory, mark, { namespace, input: '/dev/null', argv, environment: {}, restore });
}

function composeNamespace(directory: string, mark: string, script: NamespaceScript): ComposedStart {
  reserveExit(directory);
  writeFileSync(join(directory, ORDER_FILE), formatNamespaceScript(script), { mode: 0o600 });
  const argv = ['unshare', '-m', '-p', '-f', '--mount-proc', '/bin/sh', '-c', NAMESPACE_INIT, 'tritmesh-namespace'];
  const environment = {
    PATH: composeLauncherPath(process.env['PATH']),
    [RUN_DIRECTORY_VARIABLE]: directory,
    [RUN_MARK_VARIABLE]: mark,
  };
  return { frame: { mode: 'namespace', directory, stdin: '', argv, environment }, namespace: script.namespace };
}

/** Why a command cannot be started, in the words for people; `undefined` when nothing of it can be found out. */
export function findFault(order: StartRequest): ProgramFault | undefined {
  const { command, directory } = order;
  const work = join(directory, 'work');
  const found = findProgram(command.argv[0] ?? '', composeJobEnvironment(order, '')['PATH'] ?? '', work);
  if ('fault' in found) return found.fault;
  return command.stdin === undefined ? undefined : findInputFault(command.stdin, work);
}

/** `exec` of the shell would take a name with a leading dash for an option. */
function nameProgram(
  { command: { argv }, directory }: StartRequest,
  environment: Readonly<Record<string, string>>,
): readonly string[] {
  const [name = '', ...args] = argv;
  if (!name.startsWith('-')) return argv;
  const found = findProgram(name, environment['PATH'] ?? '', join(directory, 'work'));
  return ['path' in found ? found.path : name, ...args];
}

function composeJobEnvironment(order: StartRequest, mark: string): Readonly<Record<string, string>> {
  return composeEnvironment(process.env, order.command.env, order.environment, {
    [RUN_DIRECTORY_VARIABLE]: order.directory,
    [RUN_MARK_VARIABLE]: mark,
  });
}
