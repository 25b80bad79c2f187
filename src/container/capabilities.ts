/**
 * Determines whether containers can be frozen and restored here. That takes root, a usable criu, a podman that is
 * recent enough, and an OCI runtime that was built with checkpoint support. Runs only `podman info` and the test of
 * the runtime that podman itself makes.
 */
import { execa } from 'execa';
import { z } from 'zod';
import type { Capabilities } from '../checkpoint/checkpoint.js';
import type { ContainerCapabilities } from './containers.js';
import type { Podman } from './podman.js';

/** Major version of the first podman whose exports contain everything that a receiver checks. */
const MAJOR_MIN = 4;
const ASK_MS = 10_000;

/** Determines what podman can do here. `criu`: what is known about this machine's criu. */
export async function readPodmanCapabilities(podman: Podman, criu: Capabilities): Promise<ContainerCapabilities> {
  if (!criu.usable) return refuse(criu.reason);
  const { code, stdout, fault } = await podman.ask('info', '--format', 'json');
  if (code === -1) return refuse('podman is not installed, or does not answer');
  if (code !== 0) return refuse(`podman: ${fault}`);
  const info = parseInfo(stdout);
  if (info === undefined) return refuse("podman's answer cannot be read");
  const { ociRuntime, security } = info.host;
  const version = info.version.Version;
  const known = { version, runtime: ociRuntime.name };
  const major = Number.parseInt(version, 10);
  if (!(major >= MAJOR_MIN)) return refuse(`podman ${version} is too old: ${MAJOR_MIN}.0 is needed`, known);
  if (security.rootless) return refuse('podman runs without root', known);
  if (!(await canCheckpoint(ociRuntime.path)))
    return refuse(`the runtime ${ociRuntime.name} was built without checkpoints`, known);
  return { ...known, usable: true, reason: '', abilities: ['podman', `podman-${major}`] };
}

function refuse(reason: string, known: { version: string; runtime: string } = NOTHING_KNOWN): ContainerCapabilities {
  return { ...known, usable: false, reason, abilities: [] };
}

const NOTHING_KNOWN = { version: '', runtime: '' };

/** The part of `podman info` that decides; the field names are podman's. An old podman lacks some of `host`. */
const infoSchema = z.object({
  host: z.object({
    ociRuntime: z.object({ name: z.string(), path: z.string() }).default({ name: '', path: '' }),
    security: z.object({ rootless: z.boolean() }).default({ rootless: true }),
  }),
  version: z.object({ Version: z.string() }),
});

/** Returns `undefined` for an answer that cannot be read: nothing follows from it, so podman is not used. */
function parseInfo(text: string): z.output<typeof infoSchema> | undefined {
  try {
    return infoSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The same test that podman makes: a runtime without checkpoint support does not know this command. */
async function canCheckpoint(runtime: string): Promise<boolean> {
  if (runtime === '') return false;
  const { exitCode } = await execa(runtime, ['checkpoint', '--help'], { reject: false, timeout: ASK_MS });
  return exitCode === 0;
}
