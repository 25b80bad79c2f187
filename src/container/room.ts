/** Whether there is room for an image below a directory that need not be there yet. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** No sentence when there is. */
export function findRoomObstacle(directory: string, bytes: number): readonly string[] {
  const free = measureFree(directory);
  if (free >= bytes) return [];
  return [`there is no room for its image: ${bytes} bytes are needed below ${directory}, ${free} are free`];
}

function measureFree(directory: string): number {
  for (let place = directory; ; place = dirname(place)) {
    try {
      const { bavail, bsize } = statfsSync(place);
      return bavail * bsize;
    } catch {
      if (place === dirname(place)) return 0;
    }
  }
}
