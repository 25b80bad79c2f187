/**
 * Adapter of the Containers port over podman's command line. Experimental: tested with podman 4.3 and runc 1.1.
 * Connects capabilities, preflights and export, which have files of their own.
 */
import type { Checkpoint, Capabilities } from '../checkpoint/checkpoint.js';
import type { ContainerSnapshot, Containers, ContainerCapabilities } from './containers.js';
import { parseContainerRecord } from './container-record.js';
import { exportContainer } from './export-container.js';
import { preflightExport } from './preflight-export.js';
import { findContainer, isPodmanBusy, listContainerProcesses } from './members.js';
import { createPodman, type Podman } from './podman.js';
import { preflightContainerRestore } from './preflight-restore.js';
import { readPodmanCapabilities } from './capabilities.js';

const LOOK_MS = 20;

/** What is known about this machine; determined once. */
interface Ground {
  readonly podman: Podman;
  readonly criu: Capabilities;
  readonly capabilities: ContainerCapabilities;
}

/**
 * Creates the adapter. It examines the machine on first use, not here. `checkpoint` provides this machine's criu;
 * `variables` are added to podman's environment, e.g. CONTAINERS_CONF.
 */
export function createContainers(checkpoint: Checkpoint, variables: Readonly<Record<string, string>> = {}): Containers {
  let known: Promise<Ground> | undefined;
  const ground = (): Promise<Ground> => (known ??= learn(checkpoint, variables));
  const podman = async (): Promise<Podman> => (await ground()).podman;
  const preflight: Containers['preflightExport'] = async (id, directory) => {
    const { podman: using, capabilities, criu } = await ground();
    return preflightExport(id, directory, using, capabilities, criu);
  };

  return {
    capabilities: async () => (await ground()).capabilities,
    containerOf: findContainer,
    members: listContainerProcesses,
    preflightExport: preflight,
    preflightRestore: async (facts, directory) => {
      const { podman: using, capabilities } = await ground();
      return preflightContainerRestore(facts, directory, facts.image_bytes, using, capabilities);
    },
    look: async (id) => lookAt(id, await podman()),
    freeze: async (id, directory, spent) =>
      exportContainer(id, directory, () => preflight(id, directory), spent, await podman()),
    resume: async (id, directory) => {
      const restore = ['container', 'restore', '--file-locks', id] as const;
      const { code, fault } = await (await podman()).perform(directory, ...restore);
      return code === 0 ? undefined : `podman: ${fault}`;
    },
    stop: async (id, graceS) => void (await (await podman()).ask('container', 'stop', '-t', String(graceS), id)),
    remove: async (id, force) => {
      const using = await podman();
      const { code, fault } = await using.ask('container', 'rm', ...(force ? ['-f', '-t', '0'] : []), id);
      return code === 0 || (await lookAt(id, using)).state === 'absent' ? undefined : `podman: ${fault}`;
    },
    settle: async (id) => {
      while (isPodmanBusy(id)) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    },
    environment: async () => (await podman()).environment,
  };
}

async function learn(checkpoint: Checkpoint, variables: Readonly<Record<string, string>>): Promise<Ground> {
  const criu = await new Promise<Capabilities>((resolve) => checkpoint.capabilities(resolve));
  const podman = createPodman(criu.criu, variables);
  return { podman, criu, capabilities: await readPodmanCapabilities(podman, criu) };
}

async function lookAt(id: string, podman: Podman): Promise<ContainerSnapshot> {
  const { code, stdout, fault } = await podman.ask('container', 'inspect', id);
  if (code === 0) {
    const record = parseContainerRecord(stdout);
    if ('reason' in record) return { state: 'unknown', reason: record.reason };
    return record.State.Running ? { state: 'running', pid: record.State.Pid } : { state: 'stopped' };
  }
  const exists = await podman.ask('container', 'exists', id);
  return exists.code === 1 ? { state: 'absent' } : { state: 'unknown', reason: `podman: ${fault}` };
}
