/**
 * Preflight of a container at its receiver: checks whether podman could import it here. It only looks up the names in
 * the facts and changes nothing. It must never let podman pull an image, which `podman container restore` would do on
 * its own.
 */
import type { ImageFacts } from '../protocol/image-facts.js';
import type { ContainerCapabilities } from './containers.js';
import type { Podman } from './podman.js';
import { findRoomObstacle } from '../os/disk-space.js';

/** Returns the obstacles. `roomBytes`: disk space that the export still needs below `directory`. */
export async function preflightContainerRestore(
  { container }: ImageFacts,
  directory: string,
  roomBytes: number,
  podman: Podman,
  capabilities: ContainerCapabilities,
): Promise<readonly string[]> {
  if (container === undefined) return ['it is no image of a container'];
  if (!capabilities.usable) return [`this node cannot move containers: ${capabilities.reason}`];
  const { id, name, image, image_name: imageName, runtime } = container;
  const [idTaken, nameTaken, hasImage] = await Promise.all([
    podman.ask('container', 'exists', id),
    podman.ask('container', 'exists', name),
    podman.ask('image', 'exists', image),
  ]);
  return [
    ...findVersionObstacles(container.podman, capabilities),
    ...(runtime === capabilities.runtime
      ? []
      : [`it ran under ${runtime}, and podman uses ${capabilities.runtime} here`]),
    ...(isAbsent(idTaken) && isAbsent(nameTaken) ? [] : [`podman has a container ${name} here already`]),
    ...(hasImage.code === 0 ? [] : [`its container image is not here: ${imageName} (${image.slice(0, 12)})`]),
    ...findRoomObstacle(directory, roomBytes),
  ];
}

function findVersionObstacles(wrote: string, { version }: ContainerCapabilities): readonly string[] {
  const [own, other] = [version, wrote].map((text) => Number.parseInt(text, 10));
  return own === other ? [] : [`podman ${wrote} wrote it, and here is ${version}`];
}

/** `podman … exists` exits with 1 for what does not exist, and with 125 when it cannot tell. */
function isAbsent({ code }: { readonly code: number }): boolean {
  return code === 1;
}
