/**
 * What is decided before a process that tritmesh did not start is moved: what its receiver must have, who is asked whether the image
 * would fit, who of them gets it, and the item that the process becomes. Pure; nothing is stopped from here.
 */
import type { ImageFacts } from '../protocol/image-facts.js';
import { COMMAND_BYTES_MAX } from '../protocol/limits.js';
import { measureCommand, type Item, type Need } from '../protocol/item.js';
import type { Info } from '../protocol/messages.js';
import type { Ranking } from './election.js';
import type { ProcessFacts } from './process-facts.js';

/** What one candidate said: nothing yet, that it fits, or the sentence why not. */
export type FitAnswer = { readonly node: string; readonly fits: boolean; readonly reason: string };

/** How many candidates are asked. */
export const CANDIDATES_MAX = 3;
const NAME_CHARS_MAX = 64;

/** What the receiver of an image from this machine must have. */
export function needOfImage(facts: ImageFacts, { abilities, arch, os }: Info): Need {
  const levels = abilities.filter((ability) => ability.startsWith('cpu-x86-64-v')).toSorted();
  // Where levels are not told, only the very same flags will do.
  const cpu = levels.slice(-1).concat(levels.length > 0 ? [] : abilities.filter((one) => one.startsWith('cpu-flags-')));
  const { image_bytes } = facts;
  return {
    cpus: 1,
    memory_bytes: image_bytes,
    disk_bytes: image_bytes,
    arch,
    os,
    labels: [],
    abilities: [...needsTool(facts), ...cpu],
  };
}

/** What restores it. A container wants a podman of the same major version: nothing is promised across those. */
function needsTool({ container }: ImageFacts): readonly string[] {
  return container === undefined ? ['criu'] : ['podman', `podman-${container.podman.split('.')[0] ?? ''}`];
}

/** All that would move with a process, itself among it: of a container all of its processes. */
export function listCompany(
  process: ProcessFacts,
  processes: ReadonlyMap<number, ProcessFacts>,
): readonly ProcessFacts[] {
  const { container } = process;
  if (container === undefined) return [process];
  return [process, ...[...processes.values()].filter((one) => one.container === container && one.pid !== process.pid)];
}

/** The facts without libraries, for a message that would be too large: the review of the image itself sees them all. */
export function trimFacts(facts: ImageFacts): ImageFacts {
  return { ...facts, mapped: facts.mapped.filter(({ path }) => path === facts.exe) };
}

/** The item that a process becomes. `start` names it with its pid, so that a pid that was reused is not taken for it. */
export function composeProcessItem(
  id: string,
  process: ProcessFacts,
  start: string,
  need: Need,
  submittedAt: string,
): Item {
  const name = process.name === '' ? String(process.pid) : process.name.slice(0, NAME_CHARS_MAX);
  const words = (process.command ?? []).filter((word, at) => at > 0 || word !== '');
  const isSmall = words.length > 0 && measureCommand({ argv: words, env: {} }) <= COMMAND_BYTES_MAX;
  return {
    item: id,
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

/** The best candidate that fits, once nobody before it in the ranking may still say so; `undefined` while that is open. */
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

/** Why no node takes it: each with its reason, those that were asked first. */
export function describeNobody(answers: Iterable<FitAnswer>, blocked: Ranking['blocked'], self: string): string {
  const asked = [...answers].map(({ node, reason }) => `${node}: ${reason}`);
  const others = [...blocked].filter(([node]) => node !== self).map(([node, reason]) => `${node}: ${reason}`);
  const all = [...asked, ...others];
  return all.length === 0 ? 'no other member is known' : all.join('; ');
}
