/**
 * Finds out whether processes can be frozen on this machine: Linux, root, a criu that is new enough and that finds the
 * kernel good. It starts criu only to ask it.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { composeSearchPath, findOnPath, isProgram } from '../os/find-program.js';
import { tryReadText } from '../os/try-read.js';
import type { Capabilities } from './checkpoint.js';
import { nameCpuAbilities } from './cpu-level.js';

const run = promisify(execFile);
/** Where `.ci/install-criu` puts it. */
const USUAL_PLACE = '/opt/criu/criu';
/** Below this a kernel of 6.16 or newer cannot have a process with a TCP socket dumped. */
export const VERSION_MIN = '4.2';
const ASK_MS = 20_000;
/** Programs of util-linux that hold a process in namespaces of its own. */
const TOOLS = ['unshare', 'nsenter', 'setsid', 'mount'];

/** Looks; `wanted`: path of criu, or empty to look along PATH and in the usual place. */
export async function readCapabilities(wanted: string): Promise<Capabilities> {
  const cpu = nameCpuAbilities(tryReadText('/proc/cpuinfo') ?? '', process.arch);
  const criu = findCriu(wanted);
  const version = criu === '' ? '' : await askVersion(criu);
  const reason = await findFault(criu, version, wanted);
  const minor = version.split('.').slice(0, 2).join('.');
  const abilities = reason === '' ? ['criu', `criu-${minor}`, ...cpu] : cpu;
  return { usable: reason === '', reason, criu, version, abilities };
}

/** Whether a version is at least another, by their numbers. */
export function isAtLeast(version: string, other: string): boolean {
  const [own, least] = [version, other].map((text) => text.split('.').map(Number));
  for (const [index, number] of (least ?? []).entries()) {
    const difference = (own?.[index] ?? 0) - number;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

async function findFault(criu: string, version: string, wanted: string): Promise<string> {
  if (process.platform !== 'linux') return 'only Linux can freeze processes';
  if (process.getuid?.() !== 0) return 'criu needs root';
  if (criu === '') return wanted === '' ? 'criu is not installed' : `criu is not at ${wanted}`;
  if (version === '') return `${criu} does not start`;
  if (!isAtLeast(version, VERSION_MIN)) return `criu ${version} is too old: ${VERSION_MIN} is needed`;
  const missing = TOOLS.find((name) => findOnPath(name, composeSearchPath()) === undefined);
  if (missing !== undefined) return `${missing} (of util-linux) is not installed`;
  return checkKernel(criu);
}

/** The exit status says it: criu writes `Error` for things that do no harm. */
async function checkKernel(criu: string): Promise<string> {
  try {
    await run(criu, ['check'], { timeout: ASK_MS });
    return '';
  } catch {
    return 'criu check says that this kernel cannot do it';
  }
}

async function askVersion(criu: string): Promise<string> {
  try {
    const { stdout } = await run(criu, ['--version'], { timeout: ASK_MS });
    return /Version:\s*([\d.]+)/.exec(stdout)?.[1] ?? '';
  } catch {
    return '';
  }
}

function findCriu(wanted: string): string {
  if (wanted !== '') return isProgram(wanted) ? wanted : '';
  return findOnPath('criu', composeSearchPath()) ?? (isProgram(USUAL_PLACE) ? USUAL_PLACE : '');
}
