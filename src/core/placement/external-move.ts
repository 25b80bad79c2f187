/**
 * Decisions before an external process is moved: what its receiver must have, which candidates are asked whether the
 * image would fit, which of them gets it, and the item that the process becomes. Nothing is stopped here.
 */
import type { ImageFacts } from '../../protocol/image-facts.js';
import { COMMAND_BYTES_MAX } from '../../protocol/limits.js';
import { measureCommand, type Item, type Need } from '../../protocol/item.js';
import { ITEM_NAME_CHARS_MAX } from '../../protocol/item-name.js';
import type { Info } from '../../protocol/messages.js';
import type { Ranking } from '../mesh/ranking.js';
import type { ProcessFacts } from '../processes/process-facts.js';

/** The answer of one candidate: whether the image fits, and the sentence why not. */
export type FitAnswer = { readonly node: string; readonly fits: boolean; readonly reason: string };

/** Most candidates that are asked. */
export const CANDIDATES_MAX = 3;

/** What the receiver of an image from this machine must have. */
export function needOfImage(facts: ImageFacts, { abilities, arch, os }: Info): Need {
  const levels = abilities.filter((ability) => ability.startsWith('cpu-x86-64-v')).toSorted();
  // Without a known level, only exactly the same cpu flags will do.
  const cpu = levels.slice(-1).concat(levels.length > 0 ? [] : abilities.filter((one) => one.startsWith('cpu-flags-')));
  const { image_bytes } = facts;
  return {
    cpus: 1,
    memory_bytes: image_bytes,
    disk_bytes: image_bytes,
    arch,
    os,
    labels: [],
    abilities: [...listTools(facts), ...cpu],
  };
}

/** The tool that restores it. A container needs a podman of the same major version; others may be incompatible. */
function listTools({ container }: ImageFacts): readonly string[] {
  return container === undefined ? ['criu'] : ['podman', `podman-${container.podman.split('.')[0] ?? ''}`];
}

/** All processes that would move with this one, itself included: for a container, all of its processes. */
export function listMovedTogether(
  process: ProcessFacts,
  processes: ReadonlyMap<number, ProcessFacts>,
): readonly ProcessFacts[] {
  const { container } = process;
  if (container === undefined) return [process];
  return [process, ...[...processes.values()].filter((one) => one.container === container && one.pid !== process.pid)];
}

/** The facts without libraries, for when the message would be too large; the check before the restore sees them all. */
export function trimFacts(facts: ImageFacts): ImageFacts {
  return { ...facts, mapped: facts.mapped.filter(({ path }) => path === facts.exe) };
}

/** The item that a process becomes. With its pid, `start` identifies the process even if the pid is reused. */
export function composeProcessItem(
  id: string,
  process: ProcessFacts,
  start: string,
  need: Need,
  submittedAt: string,
): Item {
  const name = process.name === '' ? String(process.pid) : process.name.slice(0, ITEM_NAME_CHARS_MAX);
  const words = (process.command ?? []).filter((word, at) => at > 0 || word !== '');
  const isSmall = words.length > 0 && measureCommand({ argv: words, env: {} }) <= COMMAND_BYTES_MAX;
  return {
    id,
    name,
    command: { argv: isSmall ? words : [name], env: {}, outputs: [], migrate: 'checkpoint' },
    need,
    inputs: [],
    place: 'any',
    retry: 'once',
    attempts: 1,
    deferred: false,
    submitted_at: submittedAt,
    process: { pid: process.pid, start },
  };
}

/** The best candidate that fits; `undefined` while a better one may still answer. */
export function chooseFit(
  candidates: readonly string[],
  answers: ReadonlyMap<string, FitAnswer>,
): FitAnswer | 'nobody' | undefined {
  for (const node of candidates) {
    const answer = answers.get(node);
    if (answer === undefined || answer.fits) return answer;
  }
  return 'nobody';
}

/** Why no node takes it: the reason of each, those that were asked first. */
export function describeNobody(answers: Iterable<FitAnswer>, blocked: Ranking['blocked'], self: string): string {
  const asked = [...answers].map(({ node, reason }) => `${node}: ${reason}`);
  const others = [...blocked].filter(([node]) => node !== self).map(([node, { text }]) => `${node}: ${text}`);
  const all = [...asked, ...others];
  return all.length === 0 ? 'no other member is known' : all.join('; ');
}
