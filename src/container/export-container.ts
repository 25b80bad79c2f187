/**
 * Has podman export a container into a file and leave it stopped. The facts are next to the export and written last:
 * their presence makes it complete. podman does not notice when its caller dies, and finishes.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Dumped, DumpPreflight, ResourceUsage } from '../checkpoint/checkpoint.js';
import { describeError } from '../os/errors.js';
import { measureFiles } from '../os/measure-tree.js';
import { writeWhole } from '../os/write-whole.js';
import { EXPORT_FILE } from './containers.js';
import type { Podman } from './podman.js';

/**
 * Maximum number of attempts at one export. On a loaded machine 7 of 450 failed with {@link PASSING}; 4 such failures
 * in a row are 1 in 17 million.
 */
const ASKS_MAX = 4;

/**
 * criu freezes the cgroup of a container, seizes each process and thaws the cgroup. A parent in `vfork` then waits
 * for a child that criu holds before its `exec`, while criu waits for the parent, for ten seconds. Then everything
 * continues, and the next attempt is unlikely to hit the same point.
 */
const PASSING = /Timeout reached|Unable to freeze cgroup/;

/** Exports a container if the preflight finds no obstacle. Replaces the contents of `image/`. */
export async function exportContainer(
  id: string,
  directory: string,
  preflight: () => Promise<DumpPreflight>,
  spent: ResourceUsage,
  podman: Podman,
): Promise<Dumped> {
  for (let asks = 1; ; asks += 1) {
    // Inspected before each attempt: a container that was not left as it was is not tried again.
    const dumped = await tryExport(id, directory, await preflight(), spent, podman);
    if (dumped.ok || asks === ASKS_MAX || !PASSING.test(dumped.reason)) return dumped;
  }
}

async function tryExport(
  id: string,
  directory: string,
  { obstacles, facts }: DumpPreflight,
  spent: ResourceUsage,
  podman: Podman,
): Promise<Dumped> {
  const image = join(directory, 'image');
  try {
    // First of all: whatever fails from here on, an earlier export must not pass for this one.
    rmSync(image, { recursive: true, force: true });
    if (facts === null || obstacles.length > 0) return { ok: false, reason: obstacles.join('; ') };
    mkdirSync(image, { recursive: true, mode: 0o700 });
    const { code, fault } = await podman.perform(directory, ...composeCheckpoint(id, join(directory, EXPORT_FILE)));
    if (code !== 0) return { ok: false, reason: `podman: ${fault}` };
    const whole = { ...facts, cpu_s: facts.cpu_s + spent.cpuS, wall_ms: facts.wall_ms + spent.wallMs };
    const text = `${JSON.stringify(whole)}\n`;
    const imageBytes = measureFiles(image) + Buffer.byteLength(text);
    writeWhole(join(image, 'facts.json'), text);
    return { ok: true, facts: whole, imageBytes };
  } catch (error) {
    return { ok: false, reason: describeError(error) };
  }
}

/** `--keep`: the original continues from podman's own copy of the checkpoint. */
function composeCheckpoint(id: string, file: string): readonly string[] {
  return ['container', 'checkpoint', '--keep', '--file-locks', '--compress', 'none', '--export', file, id];
}
