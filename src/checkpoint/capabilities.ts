/**
 * Determines whether this machine can freeze processes. That takes Linux, root and a criu that is recent enough and
 * accepts the kernel. Runs criu only for its version and its own check of the kernel.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { composeSearchPath, findOnPath, isProgram } from '../os/find-program.js';
import { tryReadText } from '../os/try-read.js';
import type { Capabilities } from './checkpoint.js';
import { nameCpuAbilities } from './cpu-level.js';

const run = promisify(execFile);
/** Where `.ci/install-criu` installs it. */
const USUAL_PLACE = '/opt/criu/criu';
/** Older versions cannot dump a process that has a TCP socket on kernel 6.16 or newer. */
export const VERSION_MIN = '4.2';
const ASK_MS = 20_000;
/** Programs of util-linux that create the namespaces of a process and enter them. */
const TOOLS = ['unshare', 'nsenter', 'setsid', 'mount'];

/**
 * Determines what this machine can do. `wanted`: path of criu; if empty, it is searched for along PATH and in the
 * usual place. A machine that cannot freeze is not an error: `reason` says why.
 */
export async function readCapabilities(wanted: string): Promise<Capabilities> {
  const cpu = nameCpuAbilities(tryReadText('/proc/cpuinfo') ?? '', process.arch);
  const criu = findCriu(wanted);
  const version = criu === '' ? '' : await askVersion(criu);
  const reason = await findFault(criu, version, wanted);
  const minor = version.split('.').slice(0, 2).join('.');
  const abilities = reason === '' ? ['criu', `criu-${minor}`, ...cpu] : cpu;
  return { usable: reason === '', reason, criu, version, abilities };
}

/**
 * Whether a dotted version is at least `other`. Compares number by number, over as many parts as `other` has; a part
 * missing from `version` counts as 0.
 */
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

/** Only the exit status counts: criu also prints `Error` for harmless findings. */
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
