/**
 * Determines whether containers can be frozen and restored here. That takes root, a usable criu, a podman that is
 * recent enough, and an OCI runtime that was built with checkpoint support. Runs only `podman info` and the test of
 * the runtime that podman itself makes.
 */
import { execa } from 'execa';
import type { Capabilities } from '../checkpoint/checkpoint.js';
import type { ContainerCapabilities } from './containers.js';
import type { Podman } from './podman.js';

/** Major version of the first podman whose exports contain everything that a receiver reviews. */
const MAJOR_MIN = 4;
const ASK_MS = 10_000;

/** Determines what podman can do here. `criu`: what is known about this machine's criu. */
export async function readPodmanCapabilities(podman: Podman, criu: Capabilities): Promise<ContainerCapabilities> {
  if (!criu.usable) return refuse(criu.reason);
  const { code, stdout, fault } = await podman.ask('info', '--format', 'json');
  if (code === -1) return refuse('podman is not installed, or does not answer');
  if (code !== 0) return refuse(`podman: ${fault}`);
  const { version, name, path, isRootless } = parseInfo(stdout);
  const known = { version, runtime: name };
  const major = Number.parseInt(version, 10);
  if (!(major >= MAJOR_MIN)) return refuse(`podman ${version} is too old: ${MAJOR_MIN}.0 is needed`, known);
  if (isRootless) return refuse('podman runs without root', known);
  if (!(await canCheckpoint(path))) return refuse(`the runtime ${name} was built without checkpoints`, known);
  return { ...known, usable: true, reason: '', abilities: ['podman', `podman-${major}`] };
}

function refuse(reason: string, known: { version: string; runtime: string } = NOTHING_KNOWN): ContainerCapabilities {
  return { ...known, usable: false, reason, abilities: [] };
}

const NOTHING_KNOWN = { version: '', runtime: '' };

function parseInfo(text: string): { version: string; name: string; path: string; isRootless: boolean } {
  const { host, version } = JSON.parse(text) as {
    readonly host?: {
      readonly ociRuntime?: { readonly name?: string; readonly path?: string };
      readonly security?: { readonly rootless?: boolean };
    };
    readonly version?: { readonly Version?: string };
  };
  return {
    version: version?.Version ?? '',
    name: host?.ociRuntime?.name ?? '',
    path: host?.ociRuntime?.path ?? '',
    isRootless: host?.security?.rootless !== false,
  };
}

/** The same test that podman makes: a runtime without checkpoint support does not know this command. */
async function canCheckpoint(runtime: string): Promise<boolean> {
  if (runtime === '') return false;
  const { exitCode } = await execa(runtime, ['checkpoint', '--help'], { reject: false, timeout: ASK_MS });
  return exitCode === 0;
}
