/** Holds the state diagrams of the protocol page to the phases that the code knows. */
import { describe, expect, it } from 'vitest';
import type { GuestPhase } from '../../src/core/receiver/guest.js';
import { PHASES } from '../../src/protocol/status.js';
import { readFences, readPage } from './pages.js';

/** Each phase of a guest once, or this does not compile. */
const GUEST_PHASES = {
  claimed: true,
  fetching: true,
  starting: true,
  running: true,
  freezing: true,
  frozen: true,
  prepared: true,
  thawing: true,
  collecting: true,
  ended: true,
} satisfies Readonly<Record<GuestPhase, true>>;

/** The start and the end of a diagram. */
const TERMINAL = '[*]';

const [itemDiagram = '', guestDiagram = ''] = readFences(readPage('docs/reference/protocol.md'), 'mermaid');

describe('the state diagrams of the protocol page', () => {
  it('draw every phase of an item, and nothing else', () => {
    expect(listStates(itemDiagram)).toEqual(PHASES.toSorted());
  });

  it('draw every phase of a guest, and nothing else', () => {
    expect(listStates(guestDiagram)).toEqual(Object.keys(GUEST_PHASES).toSorted());
  });
});

/** The states at both ends of all arrows, sorted; each line below the first is an arrow with a label. */
function listStates(diagram: string): readonly string[] {
  const [head, ...lines] = diagram.trim().split('\n');
  if (head !== 'stateDiagram-v2') throw new Error('not a state diagram');
  const states = lines.flatMap((line) => {
    const [, from, to] = /^ {4}(\S+) --> (\S+): [^:;]+$/.exec(line) ?? [];
    if (from === undefined || to === undefined) throw new Error(`not an arrow with a label: ${line}`);
    return [from, to];
  });
  return [...new Set(states)].filter((state) => state !== TERMINAL).toSorted();
}
