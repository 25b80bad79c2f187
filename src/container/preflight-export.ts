/**
 * Preflight of a container at its source: reports in plain words what prevents it from being moved, before anything
 * is stopped. That includes what podman would do on its own to a stopped original or to a copy that has ended: the
 * container must never run twice.
 */
import type { DumpPreflight, Capabilities } from '../checkpoint/checkpoint.js';
import type { ImageFacts } from '../protocol/image-facts.js';
import { parseContainerRecord, type ContainerRecord } from './container-record.js';
import type { ContainerCapabilities } from './containers.js';
import { listContainerProcesses, measureContainerProcess } from './members.js';
import type { Podman } from './podman.js';
import { findRoomObstacle } from '../os/disk-space.js';

/** Inspects a container. `directory`: where the export would be stored; its free space is checked. */
export async function preflightExport(
  id: string,
  directory: string,
  podman: Podman,
  capabilities: ContainerCapabilities,
  criu: Capabilities,
): Promise<DumpPreflight> {
  if (!capabilities.usable)
    return refuse(`it is in a container, and this node cannot move those: ${capabilities.reason}`);
  const { code, stdout, fault } = await podman.ask('container', 'inspect', '--size', id);
  if (code !== 0) return refuse(`root's podman does not know its container: ${fault}`);
  const record = parseContainerRecord(stdout);
  if ('reason' in record) return refuse(record.reason);
  const facts = describe(record, capabilities, criu);
  return { obstacles: [...findObstacles(record), ...findRoomObstacle(directory, facts.image_bytes)], facts };
}

/** Includes what podman itself would refuse, in words that name the part of the container. */
function findObstacles(record: ContainerRecord): readonly string[] {
  const { State: state, HostConfig: host } = record;
  const policy = host.RestartPolicy.Name;
  const found: readonly (readonly [boolean, string])[] = [
    [!state.Running || state.Paused, 'its container does not run'],
    [host.AutoRemove, 'podman would remove the stopped original of its container (--rm)'],
    [policy !== '' && policy !== 'no', `podman would start its container again by itself (--restart ${policy})`],
    [record.Pod !== '', 'its container belongs to a pod'],
    [record.Dependencies.length > 0, 'its container uses namespaces of another one'],
    [record.Rootfs !== '', 'its container has no image, but a directory of this machine (--rootfs)'],
    [record.ExecIDs.length > 0, 'somebody runs a command in its container (podman exec)'],
    [host.PidMode !== '' && host.PidMode !== 'private', `its container has no pids of its own (--pid ${host.PidMode})`],
  ];
  const mounts = record.Mounts.filter(({ Type }) => Type === 'bind' || Type === 'volume');
  return [
    ...found.flatMap(([stands, sentence]) => (stands ? [sentence] : [])),
    ...mounts.map(({ Type, Destination }) => `what its container has at ${Destination} would stay here (a ${Type})`),
  ];
}

function describe(record: ContainerRecord, capabilities: ContainerCapabilities, criu: Capabilities): ImageFacts {
  const members = listContainerProcesses(record.Id).map(measureContainerProcess);
  const memory = members.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  return {
    v: 1,
    name: record.Name.slice(0, 64),
    root: 1,
    pids: [1],
    shell_job: false,
    known_as: null,
    exe: record.Path.startsWith('/') ? record.Path : `/${record.Path}`,
    mapped: [],
    cwd: '/',
    files: [],
    image_bytes: memory + record.SizeRw,
    cpu_s: members.reduce((sum, { cpuS }) => sum + cpuS, 0),
    wall_ms: Math.max(0, Date.now() - Date.parse(record.State.StartedAt)) || 0,
    criu: criu.version,
    container: {
      id: record.Id,
      name: record.Name,
      image: record.Image.replace(/^sha256:/, ''),
      image_name: record.ImageName,
      runtime: record.OCIRuntime,
      podman: capabilities.version,
    },
  };
}

function refuse(obstacle: string): DumpPreflight {
  return { obstacles: [obstacle], facts: null };
}
